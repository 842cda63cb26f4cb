package volumemgr

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// deferral keeps the blobs of a deleted content tree for a while, in case it comes back.
type deferral struct {
	ContentID  string
	Blobs      []string
	DeleteTime time.Time // wall
	For        time.Duration
}

// Key is the content tree's UUID.
func (d deferral) Key() string { return d.ContentID }

var deferrals = bus.NewTopic[deferral](bus.Decl{Owner: "volumemgr",
	Name: "DeferredContentDeleteStatus", Life: bus.Persistent})

// deferDelete notes the content of a tree that is about to be forgotten.
func (a *volumemgr) deferDelete(x *pass, id string) {
	keep := x.items.Seconds(config.DeferContentDelete)
	st := a.trees.Get(id)
	if keep == 0 || st == nil || st.State != entity.LOADED {
		return
	}
	a.deferred.Put(deferral{ContentID: id, Blobs: st.Blobs, For: keep,
		DeleteTime: x.Wall.Add(keep)})
}

// expireDeferrals ends the deferrals whose time has come. The wall clock may have jumped while the
// device was off: none lasts longer than it was meant to.
func (a *volumemgr) expireDeferrals(x *pass) {
	for id, d := range a.deferred.All() {
		left := min(d.DeleteTime.Sub(x.Wall), d.For)
		if left <= 0 {
			a.deferred.Delete(id)
			continue
		}
		x.WakeAt("deferral "+id, x.Now+left)
	}
}

// deferredBlobs are the blobs that deferrals keep; nil if there are none.
func (a *volumemgr) deferredBlobs() map[string]bool {
	var out map[string]bool
	for _, d := range a.deferred.All() {
		if out == nil {
			out = map[string]bool{}
		}
		for _, sha := range d.Blobs {
			out[sha] = true
		}
	}
	return out
}
