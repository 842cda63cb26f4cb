package domainmgr

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// retry remembers when a guest that would not run is started anew. Lost in a crash, it counts anew.
type retry struct {
	AppID string
	At    time.Duration
}

// Key is the application's UUID.
func (r retry) Key() string { return r.AppID }

var retries = bus.NewTopic[retry](bus.Decl{Owner: "domainmgr", Name: "Retry", Life: bus.Local})

// begin makes a guest that is wished and not there.
func (s *sheet) begin(st *domain.DomainStatus, c *domain.DomainConfig) {
	m, id := s.m, st.UUID
	m.stop.Drop(id)
	m.start.Drop(id)
	m.remove.Drop(id)
	m.halts.Delete(id)
	st.Activated = false
	if st.State == entity.BROKEN && !st.BootFailed || st.BootFailed && !s.again(st) {
		m.create.Drop(id)
		return
	}
	if st.State == entity.RUNNING || st.State == entity.HALTING || st.State == entity.PAUSED {
		st.State = entity.HALTED // it is not there any more
	}
	boots := st.Boots
	if st.State != entity.BOOTING {
		boots++
	}
	adapters, ready := s.claim(st, c)
	spec, err := specOf(c, adapters, boots)
	st.ConfigFailed = err != nil
	if err != nil {
		m.create.Drop(id)
		st.ErrorDescription.Set(entity.ErrorDescription{Error: err.Error()}, s.t.Wall)
		return
	}
	if !ready {
		m.create.Drop(id)
		st.PendingAdd = !st.AdaptersFailed
		return
	}
	clearFailure(st)
	st.State, st.Boots, st.PendingAdd = entity.BOOTING, boots, true
	st.DomainName = spec.Name
	keepLists(st, c)
	s.make(st, spec)
}

// keepLists notes what the run has, for the wish may change meanwhile.
func keepLists(st *domain.DomainStatus, c *domain.DomainConfig) {
	st.DiskStatusList, st.VifList, st.IoAdapterList = c.DiskConfigList, c.VifList, c.IoAdapterList
}

// make has the hypervisor make the domain, three times at most.
func (s *sheet) make(st *domain.DomainStatus, spec hyper.Spec) {
	m, id := s.m, st.UUID
	c := m.create.Want(id, hyper.CreateReq{Spec: spec})
	if !c.Over() {
		return
	}
	if c.Tries < createTries {
		if again := c.Ended + createPause; s.t.Now < again {
			s.t.WakeAt(id, again)
		} else {
			m.create.Redo(id)
		}
		return
	}
	text := "domain " + spec.Name + " vanished"
	if c.Phase == agent.Failed {
		text = c.Fault.Text
	}
	m.create.Drop(id)
	s.fail(st, entity.BROKEN, text, entity.SeverityError)
	s.due(id)
}

// watch looks after a guest that is wished and there.
func (s *sheet) watch(st *domain.DomainStatus, c *domain.DomainConfig, d *hyper.DomainSeen) {
	m, id := s.m, st.UUID
	switch {
	case runs(d):
		m.create.Drop(id)
		m.start.Drop(id)
		m.retries.Delete(id)
		clearFailure(st)
		st.State, st.Activated, st.BootTime = entity.RUNNING, true, d.BootedAt
		st.Boots = max(st.Boots, d.Boots)
		if d.State == hyper.Paused {
			st.State = entity.PAUSED
		}
		if len(st.DiskStatusList) == 0 && len(st.VifList) == 0 {
			keepLists(st, c)
		}
		return
	case st.BootFailed, st.State == entity.BROKEN, d.Boots != st.Boots:
		// it has failed, or is of another run
	case d.State == hyper.Defined:
		if s.power(st, c, d) {
			return
		}
	default:
		s.ended(st, c, d)
	}
	m.create.Drop(id)
	m.start.Drop(id)
	if st.BootFailed {
		s.due(id)
	}
	st.Activated = false
	s.reap(id, d)
}

// power starts a domain that was made for this run; false means that it is to go.
func (s *sheet) power(st *domain.DomainStatus, c *domain.DomainConfig, d *hyper.DomainSeen) bool {
	m, id := s.m, st.UUID
	adapters, _ := s.claim(st, c)
	if spec, err := specOf(c, adapters, st.Boots); err != nil || !sameSpec(&spec, &d.Spec) {
		st.State = entity.HALTED // the wish has changed since; make it anew
		return false
	}
	m.create.Drop(id)
	st.State, st.PendingAdd = entity.BOOTING, true
	keepLists(st, c)
	call := m.start.Want(id, hyper.NameReq{Name: d.Name})
	switch {
	case call.Phase == agent.Failed:
		s.fail(st, entity.BROKEN, call.Fault.Text, entity.SeverityError)
		return false
	case call.Phase == agent.Done && call.Tries >= createTries:
		s.fail(st, entity.BROKEN, "domain "+d.Name+" does not start", entity.SeverityError)
		return false
	case call.Phase == agent.Done:
		m.start.Redo(id)
	}
	return true
}

// ended judges a guest that is off although it should run and nobody stopped it.
func (s *sheet) ended(st *domain.DomainStatus, c *domain.DomainConfig, d *hyper.DomainSeen) {
	if d.State == hyper.Broken && contained(c) {
		st.State, st.Activated = entity.BROKEN, false
		st.ErrorDescription.Set(entity.ErrorDescription{Error: "one of the application's tasks has " +
			"crashed - please restart application instance"}, s.t.Wall)
		return
	}
	text := "unexpected state HALTED"
	switch d.State {
	case hyper.Halting:
		text = "unexpected state HALTING"
	case hyper.Broken:
		text = "unexpected state BROKEN"
	}
	if d.Reason != "" {
		text += ": " + d.Reason
	}
	s.fail(st, entity.HALTED, text, entity.SeverityWarning)
}

// fail notes that a run did not come about or to its end, and when the next one is tried.
func (s *sheet) fail(st *domain.DomainStatus, state entity.SwState, text string,
	severity entity.Severity) {
	after := s.m.settings.Get(entity.Global).Seconds(config.BootRetry)
	st.State, st.Activated, st.PendingAdd = state, false, false
	st.BootFailed = true
	st.TriedCount++
	st.ErrorDescription.Set(entity.ErrorDescription{Error: text, ErrorSeverity: severity,
		ErrorRetryCondition: "will retry in " + after.String()}, s.t.Wall)
	s.m.retries.Put(retry{AppID: st.UUID, At: s.t.Now + after})
}

// due reports whether a guest that failed may be started anew, and sees to it that somebody asks
// when it may.
func (s *sheet) due(id string) bool {
	r := s.m.retries.Get(id)
	if r == nil { // the agent died meanwhile
		after := s.m.settings.Get(entity.Global).Seconds(config.BootRetry)
		r = &retry{AppID: id, At: s.t.Now + after}
		s.m.retries.Put(*r)
	}
	if s.t.Now >= r.At {
		return true
	}
	s.t.WakeAt(id, r.At)
	return false
}

// again lets a guest that failed have its next run once it is due.
func (s *sheet) again(st *domain.DomainStatus) bool {
	if !s.due(st.UUID) {
		return false
	}
	s.m.retries.Delete(st.UUID)
	clearFailure(st)
	st.State = entity.HALTED
	return true
}
