package check

import (
	"time"

	"github.com/evetwin/evetwin/core/host"
)

// started names what must run once at a time.
type started struct{ op, key, caller string }

// oneRun: the fence of a call outlives its caller, so that a restarted agent cannot double what
// still goes on.
func oneRun() Rule {
	return Rule{Name: "one-run", Covers: []string{"DEV-15"},
		Says: "No op is started for a key of a caller while a run of it has not really ended, also not " +
			"after a crash of the caller.",
		New: func(e *Ear) {
			runs := map[started]time.Duration{}
			e.OnBoot(func(Boot) { clear(runs) })
			e.OnAnyBegan(func(r *host.Ran) {
				e.Judged()
				id := started{r.Op, r.Key, r.Caller}
				if at, ok := runs[id]; ok {
					e.Break(r.Op, r.Key, "%s starts it while the run that began at %v goes on", r.Caller, at)
				}
				runs[id] = r.Began
			})
			e.OnAnyEnded(func(r *host.Ran) { delete(runs, started{r.Op, r.Key, r.Caller}) })
		}}
}
