package zedagentinfo

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/eveapi/report"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// entities makes due what has a row that changed, or had one that is gone; all makes due what has
// one. It counts what is gone.
func (a *reporter) entities(t *agent.Turn, all bool) int {
	return notice(a, t, report.KindApp, a.apps, all, appState) +
		notice(a, t, report.KindInstance, a.instances, all, nil) +
		notice(a, t, report.KindVolume, a.volumes, all, volumeState) +
		notice(a, t, report.KindContentTree, a.trees, all, treeState) +
		notice(a, t, report.KindBlob, a.blobs, all, blobState) +
		notice(a, t, report.KindMetaData, a.metaData, all, nil)
}

// progress is how long news may wait that say only that more bytes have come.
const progress = 10 * time.Second

// stage is what of a row is news at once; all else of it is progress.
type stage struct {
	state entity.SwState
	text  string
	on    bool
}

func appState(s *app.AppInstanceStatus) stage { return stage{s.State, s.Error, s.Activated} }
func volumeState(s *volume.VolumeStatus) stage {
	return stage{s.State, s.Error, s.FileLocation != ""}
}
func treeState(s *content.ContentTreeStatus) stage {
	return stage{s.State, s.Error, false}
}
func blobState(s *content.BlobStatus) stage { return stage{s.State, s.Error, s.RefCount > 0} }

// onlyProgress reports whether a row says no more than that something goes on.
func onlyProgress[V bus.Row](d bus.Delta[V], of func(*V) stage) bool {
	if of == nil || d.Old == nil {
		return false
	}
	s := of(d.New)
	return s == of(d.Old) && s.state < entity.LOADED
}

// notice looks at the rows of one kind. Rows outlive a crash of their publisher: one that is
// missing was withdrawn.
func notice[V bus.Row](a *reporter, t *agent.Turn, kind report.Kind, s *bus.Sub[V], all bool,
	of func(*V) stage,
) (gone int) {
	if all {
		for key := range s.All() {
			a.mark(t, kind, key, s.Rev(key), debounce, true)
		}
		return a.sweep(t, kind, func(key string) bool { return s.Get(key) != nil })
	}
	for key, d := range s.Changed() {
		if d.New != nil {
			wait := debounce
			if onlyProgress(d, of) {
				wait = progress
			}
			a.mark(t, kind, key, s.Rev(key), wait, false)
		} else if a.gone(t, kind, key, false) {
			gone++
		}
	}
	return gone
}

// mark puts an entity into the queue unless this state of it is there, or was told, already.
func (a *reporter) mark(t *agent.Turn, kind report.Kind, key string, rev uint64,
	wait time.Duration, force bool,
) {
	r := reported{Kind: kind, ID: key, Rev: rev}
	if old := a.reported.Get(r.Key()); old != nil && *old == r && !force {
		return
	}
	a.reported.Put(r)
	a.conn.MarkDueAt(t, item(kind, key), t.Now+wait, force)
}

// gone puts the last word on an entity into the queue, unless it was never noticed or is gone
// already.
func (a *reporter) gone(t *agent.Turn, kind report.Kind, key string, again bool) bool {
	r := reported{Kind: kind, ID: key}
	old := a.reported.Get(r.Key())
	if old == nil || old.Rev == 0 && !again {
		return false
	}
	a.reported.Put(r)
	a.conn.MarkDueAt(t, item(kind, key), t.Now+debounce, true)
	if kind == report.KindVolume {
		a.retell(t, key)
	}
	return true
}

// retell puts the other generations of a volume that is gone into the queue: the controller knows
// one volume, of which it was told last what became of the one that is gone.
func (a *reporter) retell(t *agent.Turn, key string) {
	for other := range a.volumes.Prefixed(identifier(report.KindVolume, key) + "#") {
		a.conn.MarkDueAt(t, item(report.KindVolume, other), t.Now+debounce, true)
	}
}

// sweep finds what is gone among the entities of a kind that were noticed earlier, and counts it.
func (a *reporter) sweep(t *agent.Turn, kind report.Kind, exists func(key string) bool) (gone int) {
	for _, r := range a.reported.All() {
		if r.Kind == kind && !exists(r.ID) && a.gone(t, kind, r.ID, true) {
			gone++
		}
	}
	return gone
}

func item(kind report.Kind, key string) controllerconn.Item {
	i := controllerconn.Item{Class: controllerconn.ClassRest, Kind: string(kind), Entity: key}
	if kind == report.KindApp {
		i.Class = controllerconn.ClassApp
	}
	return i
}
