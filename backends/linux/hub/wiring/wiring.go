// Package wiring finds out what an agent is connected to, without running it.
package wiring

import (
	"cmp"
	"slices"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Wiring is what agents are connected to, each thing once and in order of its name.
type Wiring struct {
	// Subs are the topics of others that they subscribe to, Pubs those they publish, less the Local
	// ones.
	Subs, Pubs []*bus.Decl
	// Ops are the ops they call.
	Ops []*agent.OpDecl
}

// Of builds every agent once, for nothing but its wiring. What the agents publish themselves is not
// among Subs.
func Of(agents ...agent.Entry) Wiring {
	var w Wiring
	for _, e := range agents {
		e.New(&probe{name: e.Name, w: &w})
	}
	byName := func(a, b *bus.Decl) int { return cmp.Compare(a.String(), b.String()) }
	w.Pubs = once(w.Pubs, byName)
	w.Subs = slices.DeleteFunc(once(w.Subs, byName), func(d *bus.Decl) bool {
		return slices.Contains(w.Pubs, d)
	})
	w.Ops = once(w.Ops, func(a, b *agent.OpDecl) int { return cmp.Compare(a.Name, b.Name) })
	return w
}

func once[T comparable](list []T, order func(a, b T) int) []T {
	slices.SortFunc(list, order)
	return slices.Compact(list)
}

// probe is a port that only listens.
type probe struct {
	name string
	w    *Wiring
}

// Agent is the agent's name.
func (p *probe) Agent() string { return p.name }

// Subscribe notes a topic.
func (p *probe) Subscribe(d *bus.Decl, _ bus.Mode) *bus.Cursor {
	p.w.Subs = append(p.w.Subs, d)
	return bus.NewCursor(d, bus.Empty(0))
}

// Publish notes a topic.
func (p *probe) Publish(d *bus.Decl) (*bus.Cursor, bus.Outlet) {
	if d.Life != bus.Local {
		p.w.Pubs = append(p.w.Pubs, d)
	}
	return bus.NewCursor(d, bus.Empty(0)), nil
}

// Use notes an op.
func (p *probe) Use(v any) any {
	p.w.Ops = append(p.w.Ops, v.(*agent.OpDecl))
	return idle{}
}

// idle is a table of calls that is never used.
type idle struct{ agent.CallTable }

var _ bus.Port = (*probe)(nil)
