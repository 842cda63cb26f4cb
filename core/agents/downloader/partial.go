package downloader

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
)

// Pauses before a removal is tried again: of a file that came back, of one the disk would not
// remove.
const (
	clearAgain  = time.Second
	clearFailed = time.Minute
)

// sweep removes partial files that nobody wants: of withdrawn configs, and of those that were
// withdrawn while the device was off. It waits until all configs are known.
func (a *downloader) sweep(t *agent.Turn) {
	for _, target := range a.remove.Keys() {
		gone := a.partials.Get(target) == nil
		if a.remove.Get(target).Over() && (gone || a.wanted(target)) {
			a.remove.Drop(target)
		}
	}
	if !a.want.Complete() {
		return
	}
	for target := range a.partials.All() {
		if !a.wanted(target) {
			a.clear(t, target)
		}
	}
}

// wanted reports whether a config names the partial.
func (a *downloader) wanted(target string) bool {
	for _, c := range a.want.All() {
		if c.Target == target {
			return true
		}
	}
	return false
}

func (a *downloader) clear(t *agent.Turn, target string) {
	call := a.remove.Want(target, web.TargetReq{Target: target})
	if !call.Over() {
		return
	}
	pause := clearAgain // done and still there: a transfer that was cancelled late wrote it anew
	if call.Phase == agent.Failed {
		pause = clearFailed
	}
	if again := call.Ended + pause; t.Now < again {
		t.WakeAt("clear "+target, again)
		return
	}
	a.remove.Redo(target)
}

// busy reports whether a transfer of the blob runs.
func (a *downloader) busy(sha string) bool {
	c := a.fetch.Get(sha)
	return c.Phase != agent.None && !c.Over()
}
