package domainmgr

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
)

const (
	createTries = 3
	createPause = 5 * time.Second
	reapPause   = 10 * time.Second // before a delete that went wrong is repeated
)

// follow brings one application closer to what is wished of it. id may also be the name of a stray
// domain whose delete has ended.
func (s *sheet) follow(id string) {
	m := s.m
	c, old, d := m.configs.Get(id), m.status.Get(id), s.seen[id]
	if c == nil {
		s.unwished(id, old, d)
		return
	}
	st := domain.DomainStatus{State: entity.INSTALLED}
	if old != nil {
		st = *old
	}
	st.UUIDandVersion, st.DisplayName, st.Of = c.UUIDandVersion, c.DisplayName, m.configs.Rev(id)
	st.PendingAdd, st.PendingModify, st.PendingDelete = false, false, false
	st.DomainId = 0
	if d != nil {
		st.DomainId, st.DomainName = d.ID, d.Name
		if old == nil {
			st.Boots = d.Boots // it was there before this agent knew
		}
	}
	switch {
	case d != nil && (!c.Activate || st.State == entity.HALTING):
		s.halt(&st, d, false)
		st.PendingModify = true
	case d == nil && underWay(m.create.Get(id).Phase) && !c.Activate:
		st.State, st.PendingModify = entity.HALTING, true // what it makes is halted then
	case !c.Activate:
		s.rest(&st)
	case d == nil:
		s.begin(&st, c)
	default:
		s.watch(&st, c, d)
	}
	m.status.Put(st)
}

func underWay(p agent.Phase) bool { return p == agent.Queued || p == agent.Running }

// unwished looks after an application without a configuration.
func (s *sheet) unwished(id string, old *domain.DomainStatus, d *hyper.DomainSeen) {
	m := s.m
	if !m.configs.Gone(id) || m.domains.Get(id) != nil {
		return
	}
	if old == nil && d != nil && !m.known.Gone(id) {
		return // its configuration is yet to come
	}
	st := domain.DomainStatus{}
	if old != nil {
		st = *old
	}
	st.UUID, st.DomainId = id, 0
	st.PendingAdd, st.PendingModify, st.PendingDelete = false, false, true
	switch {
	case d != nil:
		st.DomainId, st.DomainName = d.ID, d.Name
		s.halt(&st, d, true)
	case underWay(m.create.Get(id).Phase):
		st.State = entity.HALTING // what it makes is halted then
	default:
		s.forget(id)
		m.status.Delete(id)
		return
	}
	if old != nil {
		m.status.Put(st)
	}
}

// forget drops what is remembered of a guest that is not there.
func (s *sheet) forget(id string) {
	s.m.create.Drop(id)
	s.m.start.Drop(id)
	s.m.stop.Drop(id)
	s.m.remove.Drop(id)
	s.m.halts.Delete(id)
	s.m.retries.Delete(id)
}

// rest is a guest that is not there and need not be.
func (s *sheet) rest(st *domain.DomainStatus) {
	s.forget(st.UUID)
	if st.State != entity.INSTALLED {
		st.State = entity.HALTED
	}
	st.Activated, st.TriedCount = false, 0
	clearFailure(st)
}

func clearFailure(st *domain.DomainStatus) {
	st.ConfigFailed, st.BootFailed, st.AdaptersFailed = false, false, false
	st.ErrorDescription = entity.ErrorDescription{}
}

// reap deletes a domain under a key of its own or of its application.
func (s *sheet) reap(key string, d *hyper.DomainSeen) {
	c := s.m.remove.Want(key, hyper.NameReq{Name: d.Name})
	if !c.Over() {
		return
	}
	if again := c.Ended + reapPause; s.t.Now < again {
		s.t.WakeAt(reapKey+key, again)
	} else {
		s.m.remove.Redo(key)
	}
}
