package domainmgr

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// stage is how far the stop of a guest has gone.
type stage uint8

const (
	press   stage = iota // the power button
	force                // off at once
	destroy              // the domain goes
)

// halt remembers how far a stop is. Lost in a crash, the stop begins anew.
type halt struct {
	AppID string
	Stage stage
	Since time.Duration
}

// Key is the application's UUID.
func (h halt) Key() string { return h.AppID }

var halts = bus.NewTopic[halt](bus.Decl{Owner: "domainmgr", Name: "Halt", Life: bus.Local})

// haltKey begins the deadline of a delete that takes too long, reapKey that of one that is tried
// again, bindKey that of a binding.
const (
	haltKey = "halt "
	reapKey = "reap "
	bindKey = "bind "
)

const (
	patience = time.Minute      // for the power button where force follows
	maxDelay = 10 * time.Minute // for every other step
	hurry    = time.Minute      // instead, once the configuration is deleted
)

// halt stops a guest of our own accord and deletes its domain; it is called until that is gone.
func (s *sheet) halt(st *domain.DomainStatus, d *hyper.DomainSeen, impatient bool) {
	m, id := s.m, st.UUID
	h := halt{AppID: id, Since: s.t.Now}
	if old := m.halts.Get(id); old != nil {
		h = *old
	} else if off(d) || atOnce(d) || d.State == hyper.Halting && st.State != entity.HALTING {
		h.Stage = destroy
	}
	m.create.Drop(id)
	m.start.Drop(id)
	m.retries.Delete(id)
	st.State = entity.HALTING
	was := st.ErrorDescription
	clearFailure(st)
	for h.Stage != destroy {
		if !off(d) && s.stopping(&h, d, impatient) {
			break
		}
		next := destroy
		if h.Stage == press && !off(d) && forced(d) {
			next = force
		}
		h.Stage, h.Since = next, s.t.Now
	}
	if h.Stage == destroy {
		m.stop.Drop(id)
		if end := h.Since + limit(&h, d, impatient); s.t.Now >= end {
			was.Set(entity.ErrorDescription{
				Error: "domain " + d.Name + " failed to halt/destroy"}, s.t.Wall)
			st.ErrorDescription = was
		} else {
			s.t.WakeAt(haltKey+id, end)
		}
		s.reap(id, d)
	}
	m.halts.Put(h)
}

// stopping asks the guest to stop and reports whether to wait for it.
func (s *sheet) stopping(h *halt, d *hyper.DomainSeen, impatient bool) bool {
	end := h.Since + limit(h, d, impatient)
	if s.t.Now >= end {
		return false
	}
	c := s.m.stop.Want(h.AppID, hyper.StopReq{Name: d.Name, ID: d.ID, Force: h.Stage == force})
	if c.Phase == agent.Failed {
		return false
	}
	s.t.WakeAt(h.AppID, end)
	return true
}

// limit is how long a stage may take.
func limit(h *halt, d *hyper.DomainSeen, impatient bool) time.Duration {
	switch {
	case h.Stage == press && forced(d):
		return patience
	case impatient:
		return hurry
	}
	return maxDelay
}

// off reports whether nothing of the guest runs.
func off(d *hyper.DomainSeen) bool {
	return d.State == hyper.Defined || d.State == hyper.Halted || d.State == hyper.Broken
}

// forced reports whether force follows the power button.
func forced(d *hyper.DomainSeen) bool {
	return app.VmMode(d.Mode) == app.HVM || app.VmMode(d.Mode) == app.FML
}

// atOnce reports whether the guest is deleted without being asked.
func atOnce(d *hyper.DomainSeen) bool {
	return app.VmMode(d.Mode) == app.LEGACY || app.VmMode(d.Mode) == app.NOHYPER
}
