package check

import (
	"iter"
	"time"

	"github.com/lf-edge/eve-api/go/info"
	"github.com/lf-edge/eve-api/go/metrics"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// Boot is one boot of a device, as far as rules look into it; host.Kernel is one.
type Boot interface {
	// Head is what a topic shows at this instant; false where the device does not have it.
	Head(d *bus.Decl) (bus.Head, bool)
	// Topics are all topics of the device, by name.
	Topics() []*bus.Decl
	// Now is the time since the boot.
	Now() time.Duration
	// Wall is the device's wall clock.
	Wall() time.Time
	// BootCount counts boots from 1.
	BootCount() uint64
	// Loads is what every agent has under way.
	Loads() iter.Seq[host.Load]
	// Dead reports whether the boot has ended.
	Dead() bool
}

var _ Boot = (*host.Kernel)(nil)

// Change is a row as it becomes visible, with what it replaces; nil is none.
type Change = host.Change

// Ear is a rule's place on one device: what it hears, what it may look at, and its voice.
type Ear struct {
	c      *Checker
	rule   *Rule
	judged uint64
	broken int
	settle []func()
	due    bool // settle is to be called behind this turn
}

// OnRow has f called for each row of a topic that becomes visible; was or now is nil where there
// is none. All rows of one turn are visible when f hears of the first.
func OnRow[V bus.Row](e *Ear, t bus.Topic[V], f func(key string, was, now *V)) {
	e.c.onRow(e, t.Decl, func(r *Change) {
		was, _ := r.Was.(*V)
		now, _ := r.Val.(*V)
		f(r.Key, was, now)
	})
}

// OnBegan has f called when a run of an op begins.
func OnBegan[Req, Res any](e *Ear, o agent.Op[Req, Res], f func(r *host.Ran, req *Req)) {
	e.c.began[o.Name] = append(e.c.began[o.Name], func(r *host.Ran) {
		f(r, r.Req.(*Req))
	})
}

// OnEnded has f called when a run of an op has really ended. res is nil where it failed, or where a
// fault replaced the news of its success.
func OnEnded[Req, Res any](e *Ear, o agent.Op[Req, Res], f func(r *host.Ran, req *Req, res *Res)) {
	e.c.ended[o.Name] = append(e.c.ended[o.Name], func(r *host.Ran) {
		res, _ := r.Res.(*Res)
		f(r, r.Req.(*Req), res)
	})
}

// OnAnyRows has f called with all the rows of a turn.
func (e *Ear) OnAnyRows(f func(owner string, rows []Change)) {
	e.c.anyRows = append(e.c.anyRows, f)
}

// OnAnyBegan has f called for every run that begins.
func (e *Ear) OnAnyBegan(f func(r *host.Ran)) { e.c.anyBegan = append(e.c.anyBegan, f) }

// OnAnyEnded has f called for every run that has really ended.
func (e *Ear) OnAnyEnded(f func(r *host.Ran)) { e.c.anyEnded = append(e.c.anyEnded, f) }

// OnTurn has f called behind each turn that showed rows the rule hears of: for what must hold
// between turns and not between the rows of one.
func (e *Ear) OnTurn(f func()) { e.settle = append(e.settle, f) }

// OnBoot has f called when a boot begins, before any agent has run: what the journal kept is
// visible. was is the boot before, as it was when its power went; nil at the first.
func (e *Ear) OnBoot(f func(was Boot)) { e.c.boots = append(e.c.boots, f) }

// OnWrite has f called when a turn's persistent rows go to the journal, before they are durable
// and visible.
func (e *Ear) OnWrite(f func(r *host.Record)) { e.c.writes = append(e.c.writes, f) }

// OnCrash has f called when an agent crashed.
func (e *Ear) OnCrash(f func(agent string)) { e.c.crashes = append(e.c.crashes, f) }

// OnMinute has f called about once in a minute of the boot, behind a turn.
func (e *Ear) OnMinute(f func()) { e.c.minutes = append(e.c.minutes, f) }

// OnInfo has f called for each info message that the controller took.
func (e *Ear) OnInfo(f func(m *info.ZInfoMsg)) { e.c.infos = append(e.c.infos, f) }

// OnMetrics has f called for each metrics message that the controller took.
func (e *Ear) OnMetrics(f func(m *metrics.ZMetricMsg)) { e.c.metrics = append(e.c.metrics, f) }

// OnEnd has f called at the end of a run of a device that is on. calm is for how long nothing has
// disturbed it: for a liveness rule it is at least Patience.
func (e *Ear) OnEnd(f func(calm time.Duration)) {
	e.c.ends = append(e.c.ends, ending{e.rule.Live, f})
}

// Judged counts one evaluation that had something to judge.
func (e *Ear) Judged() { e.judged++ }

// Break says that the rule does not hold: at which topic, op or agent, for which key, and what was
// seen, as a sentence.
func (e *Ear) Break(where, key, format string, args ...any) {
	e.c.broke(e, where, key, format, args)
}

// Now is the time since the boot.
func (e *Ear) Now() time.Duration { return e.c.boot.Now() }

// Wall is the device's wall clock.
func (e *Ear) Wall() time.Time { return e.c.boot.Wall() }

// Boot is the boot that runs.
func (e *Ear) Boot() Boot { return e.c.boot }

// UUID is what the controller calls the device, empty before it does.
func (e *Ear) UUID() string { return e.c.uuid }

// Wished is the version of the configuration that the controller has for the device, empty while
// none was set.
func (e *Ear) Wished() string { return e.c.wished }

// Get is a row as it is visible, nil if there is none.
func Get[V bus.Row](e *Ear, t bus.Topic[V], key string) *V { return getOf(e.c.boot, t, key) }

// Rows are the visible rows of a topic, by key.
func Rows[V bus.Row](e *Ear, t bus.Topic[V]) iter.Seq2[string, *V] {
	return func(yield func(string, *V) bool) {
		h, ok := e.c.boot.Head(t.Decl)
		if !ok {
			return
		}
		for key, v := range h.All() {
			if !yield(key, v.(*V)) {
				return
			}
		}
	}
}

// Gone reports whether a row is absent from a table that is the whole truth.
func Gone[V bus.Row](e *Ear, t bus.Topic[V], key string) bool {
	h, ok := e.c.boot.Head(t.Decl)
	if !ok || !h.Complete() {
		return false
	}
	_, rev := h.Get(key)
	return rev == 0
}

func getOf[V bus.Row](b Boot, t bus.Topic[V], key string) *V {
	h, ok := b.Head(t.Decl)
	if !ok {
		return nil
	}
	v, _ := h.Get(key)
	row, _ := v.(*V)
	return row
}
