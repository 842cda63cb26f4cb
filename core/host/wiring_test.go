package host_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

var (
	as     = bus.NewTopic[row](bus.Decl{Owner: "a", Name: "A"})
	secret = bus.NewTopic[row](bus.Decl{Owner: "a", Name: "Memory", Life: bus.Local})
	seens  = bus.NewTopic[row](bus.Decl{Owner: "part", Name: "Seen"})
	quiets = bus.NewTopic[row](bus.Decl{Owner: "part", Name: "Counter"})
	listed = agent.NewOp[req, res](agent.OpDecl{Name: "part.Listed", Callers: []string{"a", "b"}})
	act    = agent.NewOp[req, res](agent.OpDecl{Name: "part.Act"})
	ask    = agent.NewOp[req, res](agent.OpDecl{Name: "part.Ask", Query: true})
)

func idle(wire func(p bus.Port)) agent.New {
	return func(p bus.Port) agent.Agent {
		wire(p)
		return machine(func(*agent.Turn) {})
	}
}

func serveAll(k *host.Kernel) {
	pt := k.Part("part")
	bus.Publish(pt, seens)
	bus.Publish(pt, quiets)
	for _, o := range []agent.Op[req, res]{listed, act, ask} {
		host.Serve(pt, o, func(c host.Run[req, res]) { c.Done(res{}) })
	}
}

func TestWiringsWithLooseEndsAreRefused(t *testing.T) {
	calls := func(o agent.Op[req, res]) agent.New {
		return idle(func(p bus.Port) { agent.Use(p, o) })
	}
	many := make([]agent.Entry, 65)
	for i := range many {
		many[i] = entry(fmt.Sprint("a", i), idle(func(bus.Port) {}))
	}
	for _, c := range []struct {
		says   string
		agents []agent.Entry
		wire   func(k *host.Kernel)
	}{
		{"b publishes a/A, which is a's", []agent.Entry{
			entry("b", idle(func(p bus.Port) { bus.Publish(p, as) }))}, serveAll},
		{"two publish a/A", []agent.Entry{entry("a", idle(func(p bus.Port) { bus.Publish(p, as) }))},
			func(k *host.Kernel) { bus.Publish(k.Part("a"), as) }},
		{"topic a/A is declared twice", []agent.Entry{entry("a", idle(func(p bus.Port) {
			bus.Publish(p, as)
			bus.Publish(p, bus.NewTopic[row](bus.Decl{Owner: "a", Name: "A"}))
		}))}, serveAll},
		{"b needs a/A, which nobody publishes", []agent.Entry{
			entry("b", idle(func(p bus.Port) { bus.Subscribe(p, as) }))}, serveAll},
		{"b subscribes to a/Memory, which is private", []agent.Entry{
			entry("b", idle(func(p bus.Port) { bus.Subscribe(p, secret) }))}, serveAll},
		{"both a and b call part.Act", []agent.Entry{entry("a", calls(act)), entry("b", calls(act))},
			serveAll},
		{"c is not among the callers of part.Listed", []agent.Entry{entry("c", calls(listed))},
			serveAll},
		{"a calls part.Act, which no part serves", []agent.Entry{entry("a", calls(act))},
			func(*host.Kernel) {}},
		{"op part.Act is declared twice", []agent.Entry{entry("a",
			calls(agent.NewOp[req, res](agent.OpDecl{Name: "part.Act"})))}, serveAll},
		{"two serve part.Listed", nil, func(k *host.Kernel) { serveAll(k); serveAll(k) }},
		{"other serves part.Act", nil, func(k *host.Kernel) {
			host.Serve(k.Part("other"), act, func(host.Run[req, res]) {})
		}},
		{"part part subscribes to a/A", nil, func(k *host.Kernel) { bus.Subscribe(k.Part("part"), as) }},
		{"part part calls ops", nil, func(k *host.Kernel) { agent.Use(k.Part("part"), act) }},
		{"agent a is there twice", []agent.Entry{entry("a", idle(func(bus.Port) {})),
			entry("a", idle(func(bus.Port) {}))}, serveAll},
		{"65 agents, at most 64", many, serveAll},
	} {
		_, err := newDesk().wire(host.Options{Agents: c.agents, Wire: c.wire})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v does not say %q", err, c.says)
		}
	}
	_, err := newDesk().wire(host.Options{Wire: serveAll, Agents: []agent.Entry{
		entry("a", idle(func(p bus.Port) {
			bus.Publish(p, as)
			agent.Use(p, listed)
			agent.Use(p, ask)
		})),
		entry("b", idle(func(p bus.Port) {
			bus.Subscribe(p, as)
			bus.Subscribe(p, bus.NewTopic[row](bus.Decl{Owner: "gone", Name: "X"}), bus.Optional)
			agent.Use(p, listed)
			agent.Use(p, ask)
		}))}})
	if err != nil {
		t.Errorf("a wiring without loose ends: %v", err)
	}
}

// A Quiet topic shows in the next turn and causes none; an Optional one causes turns; the strictest
// mode of a topic holds.
func TestModes(t *testing.T) {
	d := newDesk()
	var got []string
	var part *host.Part
	var out, quiet *bus.Pub[row]
	k := d.boot(t, host.Options{Wire: func(k *host.Kernel) {
		part = k.Part("part")
		out, quiet = bus.Publish(part, seens), bus.Publish(part, quiets)
		quiet.Put(row{"n", 1})
	}, Agents: []agent.Entry{entry("a", func(p bus.Port) agent.Agent {
		s := bus.Subscribe(p, seens, bus.Optional)
		q := bus.Subscribe(p, quiets, bus.Quiet)
		return machine(func(t *agent.Turn) {
			moved := 0
			for range q.Changed() {
				moved++
			}
			got = append(got, fmt.Sprint(t.Full, s.Len(), q.Get("n").N, moved))
		})
	}), entry("b", func(p bus.Port) agent.Agent {
		bus.Subscribe(p, quiets, bus.Quiet)
		bus.Subscribe(p, quiets)
		return machine(func(*agent.Turn) { got = append(got, "b") })
	})}})
	d.settle()
	part.Do(func() { quiet.Put(row{"n", 2}) })
	d.settle()
	part.Do(func() { quiet.Put(row{"n", 3}) })
	d.settle()
	part.Do(func() { out.Put(row{"x", 1}) })
	d.settle()
	want := []string{"true 0 1 1", "b", "b", "b", "false 1 3 1"}
	if !slices.Equal(got, want) {
		t.Fatalf("turns %q, want %q", got, want)
	}
	if k.Turns() != uint64(len(want)) {
		t.Fatalf("%d turns", k.Turns())
	}
}

// A first turn waits for what topics hold, never for another agent's turn.
func TestTwoAgentsThatNeedEachOtherBothStart(t *testing.T) {
	bs := bus.NewTopic[row](bus.Decl{Owner: "b", Name: "B"})
	d := newDesk()
	k := d.boot(t, host.Options{Agents: []agent.Entry{
		entry("a", func(p bus.Port) agent.Agent {
			bus.Subscribe(p, bs)
			o := bus.Publish(p, as)
			return machine(func(*agent.Turn) { o.Put(row{"x", 1}) })
		}),
		entry("b", func(p bus.Port) agent.Agent {
			in, o := bus.Subscribe(p, as), bus.Publish(p, bs)
			return machine(func(*agent.Turn) { o.Put(row{"x", in.Len()}) })
		})}})
	d.run(time.Second)
	if r := get(k, bs, "x"); r == nil || r.N != 1 {
		t.Fatalf("b has %v\n%s", r, dump(k))
	}
}
