package host_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// A publisher writes the same number into two tables in every turn; a checker that ever sees two
// numbers, or a number smaller than before, has seen part of a turn, or turns out of order.
var (
	lefts  = bus.NewFamily[row](bus.Decl{Name: "Left"}, "one", "two", "part")
	rights = bus.NewFamily[row](bus.Decl{Name: "Right"}, "one", "two", "part")
	saves  = bus.NewFamily[row](bus.Decl{Name: "Saved", Life: bus.Persistent}, "one", "two")
	seen   = bus.NewTopic[row](bus.Decl{Owner: "checker", Name: "Seen", Life: bus.Local})
)

// counter counts in every turn up to a limit; two also saves what it counts.
func counter(name string, turns int) agent.Entry {
	return entry(name, func(p bus.Port) agent.Agent {
		l, r := bus.Publish(p, lefts.Of(name)), bus.Publish(p, rights.Of(name))
		s := bus.Publish(p, saves.Of(name))
		return machine(func(t *agent.Turn) {
			n := row{Name: "n"}
			if old := l.Get("n"); old != nil {
				n = *old
			}
			if due := t.IsDue("next"); n.N < turns && (n.N == 0 || due) {
				n.N++
				l.Put(n)
				if name == "two" {
					s.Put(n)
				}
				r.Put(n)
			}
			if n.N < turns {
				t.WakeAt("next", time.Duration(n.N)*time.Millisecond+t.Now.Truncate(1)+1)
			}
		})
	})
}

// checker counts what is wrong.
func checker(wrong *[]string) agent.Entry {
	return entry("checker", func(p bus.Port) agent.Agent {
		l, r := bus.SubscribeFamily(p, lefts), bus.SubscribeFamily(p, rights)
		last := bus.Publish(p, seen)
		saved := bus.Subscribe(p, saves.Of("two"), bus.Optional)
		return machine(func(t *agent.Turn) {
			for _, o := range lefts.Owners() {
				a, b := l.Of(o).Get("n"), r.Of(o).Get("n")
				if (a == nil) != (b == nil) || a != nil && *a != *b {
					*wrong = append(*wrong, fmt.Sprintf("%s: torn turn: %v and %v", o, a, b))
				}
				if o == "two" && a != nil && (saved.Get("n") == nil || *saved.Get("n") != *a) {
					*wrong = append(*wrong, fmt.Sprintf("two: %v saved of %v", saved.Get("n"), a))
				}
				was := last.Get(o)
				if a != nil && was != nil && a.N < was.N {
					*wrong = append(*wrong, fmt.Sprintf("%s: %d after %d", o, a.N, was.N))
				}
				if a != nil {
					last.Put(row{o, a.N})
				}
			}
		})
	})
}

// Under any schedule a subscriber sees a prefix of each publisher's turns, each whole or not at
// all, also when it crashes and starts again on the way, and all of it in the end.
func TestSubscribersSeeWholeTurnsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const turns = 8
		d := newDesk()
		d.pick = func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "move") }
		var wrong []string
		var part *host.Part
		var l, r *bus.Pub[row]
		k, err := d.wire(host.Options{Rebuild: 3, FullTurn: 3,
			Agents: []agent.Entry{checker(&wrong), counter("one", turns), counter("two", turns)},
			Wire: func(k *host.Kernel) {
				part = k.Part("part")
				l, r = bus.Publish(part, lefts.Of("part")), bus.Publish(part, rights.Of("part"))
				for n := range turns {
					part.After(time.Duration(n)*2, func() {
						l.Put(row{"n", n + 1})
						r.Put(row{"n", n + 1})
					})
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		k.Start()
		for d.step(time.Minute) {
			if rapid.IntRange(0, 20).Draw(t, "crash") == 0 {
				name := rapid.SampledFrom([]string{"checker", "one", "two"}).Draw(t, "who")
				k.Crash(k.Proc(name), nil)
			}
		}
		if wrong != nil {
			t.Fatalf("%q", wrong)
		}
		for _, o := range lefts.Owners() {
			if got := get(k, seen, o); got == nil || got.N != turns && o == "part" {
				t.Fatalf("the checker saw %v of %s", got, o)
			}
			if got, want := get(k, seen, o), get(k, lefts.Of(o), "n"); got.N != want.N {
				t.Fatalf("the checker saw %v of %s, there is %v", got, o, want)
			}
		}
	})
}

// What a topic holds at the start of an agent is shown to it before its first turn, however late.
func TestTheFirstTurnWaitsForTheReplayOfThisStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk()
		d.pick = func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "move") }
		began := map[uint64]int{} // what was there when a start of the checker began
		var early []string
		var k *host.Kernel
		watch := entry("checker", func(p bus.Port) agent.Agent {
			l := bus.SubscribeFamily(p, lefts)
			return machine(func(turn *agent.Turn) {
				if !turn.Full {
					return
				}
				sum := 0
				for _, v := range l.All() {
					sum += v.N
				}
				if start := k.Proc("checker").Started(); sum < began[start] {
					early = append(early, fmt.Sprintf("start %d saw %d of %d", start, sum,
						began[start]))
				}
			})
		})
		k, err := d.wire(host.Options{Agents: []agent.Entry{watch, counter("one", 9),
			counter("two", 9)}, Wire: func(k *host.Kernel) {
			bus.Publish(k.Part("part"), lefts.Of("part"))
		}})
		if err != nil {
			t.Fatal(err)
		}
		k.Start()
		for d.step(time.Minute) {
			if rapid.IntRange(0, 5).Draw(t, "crash") == 0 {
				k.Crash(k.Proc("checker"), nil)
				sum := 0
				for _, o := range lefts.Owners() {
					if r := get(k, lefts.Of(o), "n"); r != nil {
						sum += r.N
					}
				}
				began[k.Proc("checker").Started()] = sum
			}
		}
		if early != nil {
			t.Fatalf("%q", early)
		}
	})
}
