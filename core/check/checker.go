package check

import (
	"fmt"
	"time"

	"github.com/lf-edge/eve-api/go/info"
	"github.com/lf-edge/eve-api/go/metrics"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/node"
)

// maxBroken bounds the violations kept of one rule.
const maxBroken = 8

// Checker holds one device to rules, over all its boots. It belongs to the loop of the device.
type Checker struct {
	// OnBroken is told of each violation at once, on the device's loop; it may panic to stop the run
	// there. nil only collects.
	OnBroken func(v *Violation)

	device     string
	ears       []*Ear
	boot       Boot
	violations []*Violation
	uuid       string
	wished     string

	rows     map[*bus.Decl][]heard
	began    map[string][]func(*host.Ran)
	ended    map[string][]func(*host.Ran)
	anyRows  []func(string, []Change)
	anyBegan []func(*host.Ran)
	anyEnded []func(*host.Ran)
	boots    []func(Boot)
	writes   []func(*host.Record)
	crashes  []func(string)
	minutes  []func()
	infos    []func(*info.ZInfoMsg)
	metrics  []func(*metrics.ZMetricMsg)
	ends     []ending

	due    []*Ear
	minute time.Duration // the next to be told of
	calm   time.Duration // of this boot, since when nothing disturbs
	healed bool
}

type heard struct {
	ear *Ear
	f   func(*Change)
}

type ending struct {
	live bool
	f    func(time.Duration)
}

// New makes a checker of a device for rules.
func New(rules []Rule, device string) *Checker {
	c := &Checker{device: device, rows: map[*bus.Decl][]heard{}, began: map[string][]func(*host.Ran){},
		ended: map[string][]func(*host.Ran){}}
	for i := range rules {
		e := &Ear{c: c, rule: &rules[i]}
		c.ears = append(c.ears, e)
		rules[i].New(e)
	}
	return c
}

func (c *Checker) onRow(e *Ear, d *bus.Decl, f func(*Change)) {
	c.rows[d] = append(c.rows[d], heard{e, f})
}

// Hooks are what a device's host is to be given: see host.Hooks.Join.
func (c *Checker) Hooks() host.Hooks {
	return host.Hooks{
		Shown: func(k *host.Kernel, s *host.Source, rows []host.Change) {
			c.Shown(k, s.Name, rows)
		},
		Began:   func(k *host.Kernel, r host.Ran) { c.Began(k, &r) },
		Ended:   func(k *host.Kernel, r host.Ran) { c.Ended(k, &r) },
		Crashed: func(k *host.Kernel, agent string) { c.Crashed(k, agent) },
	}
}

// Shown tells of rows that became visible together.
func (c *Checker) Shown(b Boot, owner string, rows []Change) {
	c.enter(b)
	for _, f := range c.anyRows {
		f(owner, rows)
	}
	for i := range rows {
		r := &rows[i]
		if r.Topic == node.Onboarding.Decl {
			c.named(r.Val)
		}
		for _, h := range c.rows[r.Topic] {
			if len(h.ear.settle) > 0 && !h.ear.due {
				h.ear.due = true
				c.due = append(c.due, h.ear)
			}
			h.f(r)
		}
	}
	for _, e := range c.due {
		e.due = false
		for _, f := range e.settle {
			f()
		}
	}
	c.due = c.due[:0]
	if now := b.Now(); now >= c.minute {
		c.minute = now + time.Minute
		for _, f := range c.minutes {
			f()
		}
	}
}

// Began tells of a run that begins.
func (c *Checker) Began(b Boot, r *host.Ran) {
	c.enter(b)
	for _, f := range c.anyBegan {
		f(r)
	}
	for _, f := range c.began[r.Op] {
		f(r)
	}
}

// Ended tells of a run that has really ended.
func (c *Checker) Ended(b Boot, r *host.Ran) {
	c.enter(b)
	for _, f := range c.ended[r.Op] {
		f(r)
	}
	for _, f := range c.anyEnded {
		f(r)
	}
}

// Crashed tells of an agent's crash.
func (c *Checker) Crashed(b Boot, agent string) {
	c.enter(b)
	c.calm = b.Now()
	for _, f := range c.crashes {
		f(agent)
	}
}

// Writing tells of a record that goes to the journal: for sim.DeviceOptions.Cut, which is asked
// then. It may be left out; a rule about the journal then takes a row that was under way for lost.
func (c *Checker) Writing(r *host.Record) {
	for _, f := range c.writes {
		f(r)
	}
}

// Info tells of an info message that the controller took.
func (c *Checker) Info(m *info.ZInfoMsg) {
	if c.boot == nil {
		return
	}
	for _, f := range c.infos {
		f(m)
	}
}

// Metrics tells of a metrics message that the controller took.
func (c *Checker) Metrics(m *metrics.ZMetricMsg) {
	if c.boot == nil {
		return
	}
	for _, f := range c.metrics {
		f(m)
	}
}

// Wished tells of the version of the configuration that the controller has for the device.
func (c *Checker) Wished(version string) { c.wished = version }

// Healed says that from now on nothing disturbs the device: no fault, no cut, no crash, no change
// of its configuration. A crash or a boot that comes all the same begins the peace anew.
func (c *Checker) Healed() {
	if c.healed = true; c.boot != nil {
		c.calm = c.boot.Now()
	}
}

// Disturbed says that the device may be disturbed again.
func (c *Checker) Disturbed() { c.healed = false }

// End is the end of a run: what is to hold at last is judged, unless the device is off. Liveness
// rules judge only after Patience without a disturbance.
func (c *Checker) End() {
	if c.boot == nil || c.boot.Dead() {
		return
	}
	calm := time.Duration(0)
	if c.healed {
		calm = c.boot.Now() - c.calm
	}
	for _, x := range c.ends {
		if !x.live || calm >= Patience {
			x.f(calm)
		}
	}
}

// Violations are those found, in order of time; at most a few of each rule are kept.
func (c *Checker) Violations() []*Violation { return c.violations }

// Judged is how often each rule had something to judge, in the order of the rules.
func (c *Checker) Judged() []Count {
	out := make([]Count, len(c.ears))
	for i, e := range c.ears {
		out[i] = Count{e.rule.Name, e.judged}
	}
	return out
}

// enter notices a new boot.
func (c *Checker) enter(b Boot) {
	if c.boot == b {
		return
	}
	was := c.boot
	c.boot, c.calm, c.minute = b, 0, time.Minute
	if row := getOf(b, node.Onboarding, "global"); row != nil {
		c.uuid = row.DeviceUUID
	}
	for _, f := range c.boots {
		f(was)
	}
}

func (c *Checker) named(row any) {
	if o, ok := row.(*node.OnboardingStatus); ok && o != nil {
		c.uuid = o.DeviceUUID
	}
}

func (c *Checker) broke(e *Ear, where, key, format string, args []any) {
	if e.broken++; e.broken > maxBroken {
		return
	}
	v := &Violation{Rule: e.rule.Name, Device: c.device, Where: where, Key: key,
		Saw: fmt.Sprintf(format, args...)}
	if c.boot != nil {
		v.Boot, v.At = c.boot.BootCount(), c.boot.Now()
	}
	c.violations = append(c.violations, v)
	if c.OnBroken != nil {
		c.OnBroken(v)
	}
}
