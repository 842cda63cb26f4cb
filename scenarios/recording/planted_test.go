package recording_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/scenarios"
)

// other is an agent's port on which some rows come out otherwise.
type other struct {
	bus.Port
	change func(val any) any
}

// Publish gives an outlet that changes rows.
func (p other) Publish(d *bus.Decl) (*bus.Cursor, bus.Outlet) {
	c, out := p.Port.Publish(d)
	return c, outlet{out, p.change}
}

type outlet struct {
	bus.Outlet
	change func(val any) any
}

// Write changes a row.
func (o outlet) Write(c *bus.Cursor, key string, val any) { o.Outlet.Write(c, key, o.change(val)) }

// stepped is an agent that does something more in each turn.
type stepped struct {
	agent.Agent
	more func(t *agent.Turn)
}

// Step does it behind the agent.
func (s stepped) Step(t *agent.Turn) { s.Agent.Step(t); s.more(t) }

// with is the roster with one agent changed.
func with(name string, change func(agent.New) agent.New) []agent.Entry {
	list := roster.Agents()
	i := slices.IndexFunc(list, func(e agent.Entry) bool { return e.Name == name })
	list[i].New = change(list[i].New)
	return list
}

// firstTurn is the first recorded turn of an agent of which something holds.
func firstTurn(t *testing.T, b []byte, name string, is func(*trace.Turn) bool) *trace.Turn {
	t.Helper()
	for _, f := range frames(t, b) {
		if x, ok := f.(*trace.Turn); ok && x.Agent == name && is(x) {
			return x
		}
	}
	t.Fatalf("no turn of %s is as looked for", name)
	return nil
}

// A change of a line in one agent is named, with the first turn in which it shows and with both
// values; an agent that was not changed is alone without a difference.
func TestAChangedAgentIsNamedWithItsFirstTurn(t *testing.T) {
	sc, err := scenarios.Find("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	b, err := record(sc, 1)
	if err != nil {
		t.Fatal(err)
	}
	late := 500 * time.Millisecond
	for _, c := range []struct {
		name, agent, what, topic, now string
		agents                        []agent.Entry
		first                         func(x *trace.Turn) bool
	}{
		{"a field of a row", "zedmanager", "put", "zedmanager/AppInstanceStatus", `"State":99`,
			with("zedmanager", func(mk agent.New) agent.New {
				return func(p bus.Port) agent.Agent {
					return mk(other{p, func(val any) any {
						if s, ok := val.(*app.AppInstanceStatus); ok && s.State == entity.RUNNING {
							x := *s
							x.State = 99
							return &x
						}
						return val
					}})
				}
			}),
			func(x *trace.Turn) bool {
				return slices.ContainsFunc(x.Rows, func(r trace.Row) bool {
					var s app.AppInstanceStatus
					return r.Topic == "zedmanager/AppInstanceStatus" && !r.Val.IsZero() &&
						r.Val.Into(&s) == nil && s.State == entity.RUNNING
				})
			}},
		{"a deadline", "nim", "deadline", "", "planted at ",
			with("nim", func(mk agent.New) agent.New {
				return func(p bus.Port) agent.Agent {
					return stepped{mk(p), func(t *agent.Turn) {
						if t.Now > late {
							t.WakeAt("planted", time.Hour)
						}
					}}
				}
			}),
			func(x *trace.Turn) bool { return x.Now > late }},
		{"a panic", "volumemgr", "panic", "", "it broke",
			with("volumemgr", func(mk agent.New) agent.New {
				return func(p bus.Port) agent.Agent {
					return stepped{mk(p), func(t *agent.Turn) {
						if t.Now > late {
							panic("it broke")
						}
					}}
				}
			}),
			func(x *trace.Turn) bool { return x.Now > late }},
	} {
		want := firstTurn(t, b, c.agent, c.first)
		for _, only := range []string{"", c.agent} {
			res, err := play(b, c.agents, only)
			if err != nil {
				t.Fatal(err)
			}
			d := res.First
			if d == nil || d.Agent != c.agent || d.Turn != want.Turn || d.At != want.Now ||
				d.What != c.what || d.Topic != c.topic || !strings.Contains(d.B, c.now) || d.A == d.B ||
				d.Boot != 1 || d.Device != want.Device || len(res.Differ) != 1 {
				t.Errorf("%s: %v, want turn %d of %s", c.name, d, want.Turn, c.agent)
			}
		}
		for _, e := range roster.Agents() {
			if e.Name == c.agent {
				continue
			}
			if res, err := play(b, c.agents, e.Name); err != nil || res.First != nil || res.Turns == 0 {
				t.Errorf("%s: %s alone: %v, %v, %d turns", c.name, e.Name, err, res.First, res.Turns)
			}
		}
	}
}

// A call with another request is named by its op and key.
func TestAChangedRequestIsNamed(t *testing.T) {
	sc, err := scenarios.Find("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	b, err := record(sc, 2)
	if err != nil {
		t.Fatal(err)
	}
	agents := with("domainmgr", func(mk agent.New) agent.New {
		return func(p bus.Port) agent.Agent { return mk(asking{p}) }
	})
	want := firstTurn(t, b, "domainmgr", func(x *trace.Turn) bool {
		return slices.ContainsFunc(x.Calls, func(c trace.Call) bool { return c.Op == "hyper.Create" })
	})
	res, err := play(b, agents, "")
	if err != nil {
		t.Fatal(err)
	}
	if d := res.First; d == nil || d.What != "call" || d.Topic != "hyper.Create" ||
		d.Turn != want.Turn || d.Key == "" || !strings.Contains(d.B, "-planted") {
		t.Fatalf("%v, want turn %d", d, want.Turn)
	}
}

// asking is an agent's port on which guests are asked for with another name.
type asking struct{ bus.Port }

// Use gives a table of calls that changes requests.
func (p asking) Use(op any) any {
	t := p.Port.Use(op).(agent.CallTable)
	if op.(*agent.OpDecl).Name == hyper.Create.Name {
		return calls{t}
	}
	return t
}

type calls struct{ agent.CallTable }

// Want asks for another guest.
func (c calls) Want(key string, req any) {
	r := *req.(*hyper.CreateReq)
	r.Spec.Name += "-planted"
	c.CallTable.Want(key, &r)
}
