package host

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// watch has the runs looked at when the first limit of them passes. One callback watches all: an op
// may take days, and its run is to be forgotten when it ends.
func (k *Kernel) watch(limit time.Duration) {
	if k.sweep != 0 && k.sweep <= limit {
		return
	}
	k.sweep = limit
	k.drv.After(limit-k.drv.Now(), func() {
		if k.sweep == limit {
			k.expireRuns(limit)
		}
	})
}

// expireRuns ends the runs whose limit has passed and watches the others.
func (k *Kernel) expireRuns(now time.Duration) {
	k.sweep = 0
	next := time.Duration(0)
	for _, p := range k.procs {
		for _, t := range p.tables {
			for _, r := range slices.Clone(t.fences) {
				at := r.began + t.op.decl.Limit
				switch {
				case r.over || r.ended || t.op.far:
				case at <= now:
					r.expire()
				case next == 0 || at < next:
					next = at
				}
			}
		}
	}
	if next > 0 {
		k.watch(next)
	}
}

// expire tells the caller that the limit passed. The key stays fenced until the part gives up.
func (r *run) expire() {
	if r.over || r.ended {
		return
	}
	r.over = true
	r.fault = &agent.Fault{Code: agent.FaultLimit, Retry: true,
		Text: r.t.op.decl.Name + " took longer than " + r.t.op.decl.Limit.String()}
	r.t.op.part.flush(r)
	r.cancel()
}
