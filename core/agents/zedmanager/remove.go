package zedmanager

import (
	"github.com/evetwin/evetwin/core/topics/entity"
)

// remove withdraws what an application was given in reverse order: guest, network, volumes. Each is
// waited for.
func (a *zedmanager) remove(id string) {
	st := a.status.Get(id)
	if !a.withdrawn(id) {
		if st != nil && st.State != entity.HALTING && a.domainStats.Get(id) != nil {
			n := *st
			n.State = entity.HALTING
			a.status.Put(n)
		}
		return
	}
	a.purges.Delete(id)
	a.markers.Delete(id)
	a.accepted.Delete(id)
	a.status.Delete(id)
}

// withdrawn reports whether nothing of an application is left with the agents below.
func (a *zedmanager) withdrawn(id string) bool {
	if a.domains.Get(id) != nil {
		if a.domainStats.Get(id) == nil {
			return false // domainmgr may be at it already: what it does must be seen first
		}
		a.domains.Delete(id)
	}
	if a.domainStats.Get(id) != nil {
		return false
	}
	if a.nets.Get(id) != nil {
		if a.netStats.Get(id) == nil {
			return false
		}
		a.nets.Delete(id)
	}
	if a.netStats.Get(id) != nil {
		return false
	}
	for key, ref := range a.refs.All() {
		if ref.AppUUID == id {
			a.refs.Delete(key)
		}
	}
	for _, vs := range a.volumeStats.All() {
		if vs.AppUUID == id {
			return false
		}
	}
	return true
}
