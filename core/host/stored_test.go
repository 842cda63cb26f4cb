package host_test

import (
	"encoding/json"
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
	counts = bus.NewTopic[row](bus.Decl{Owner: "maker", Name: "Count", Life: bus.Persistent})
	shows  = bus.NewTopic[row](bus.Decl{Owner: "maker", Name: "Show"})
	others = bus.NewTopic[row](bus.Decl{Owner: "other", Name: "Note", Life: bus.Persistent})
)

// maker counts durably, shows what it counted and has the lamp set to it.
func maker(limit int) agent.Entry {
	return entry("maker", func(p bus.Port) agent.Agent {
		c, s := bus.Publish(p, counts), bus.Publish(p, shows)
		calls := agent.Use(p, set)
		return machine(func(t *agent.Turn) {
			n := row{Name: "n"}
			if old := c.Get("n"); old != nil {
				n = *old
			}
			if n.N < limit && (t.IsDue("next") || n.N == 0) {
				n.N++
				c.Put(n)
				c.Put(row{fmt.Sprint("twin", n.N%3), n.N})
			}
			if n.N > 0 {
				s.Put(n)
				calls.Want("n", req{"n", n.N})
			}
			if n.N < limit {
				t.WakeAt("next", t.Now+time.Second)
			}
		})
	})
}

// At whatever step the power is cut, and whatever part of the writing under way the disk has kept:
// what anybody saw and what any call was for is there after the cut, and the rows of a turn are
// there together.
func TestAPowerCutAtEveryStep(t *testing.T) {
	for steps := 0; ; steps++ {
		done := false
		for keep := range 2 {
			done = cutAt(t, steps, keep)
		}
		if done {
			if steps < 40 {
				t.Fatalf("the world had only %d steps", steps)
			}
			return
		}
	}
}

func cutAt(t *testing.T, steps, keep int) (done bool) {
	t.Helper()
	d := newDesk()
	most := 0 // that anybody saw, or that a call was for
	note := func(n int) { most = max(most, n) }
	options := func() host.Options {
		watch := entry("watch", func(p bus.Port) agent.Agent {
			c, s := bus.Subscribe(p, counts), bus.Subscribe(p, shows)
			return machine(func(*agent.Turn) {
				for _, r := range []*row{c.Get("n"), s.Get("n")} {
					if r != nil {
						note(r.N)
					}
				}
			})
		})
		return host.Options{Agents: []agent.Entry{maker(6), watch}, Wire: func(k *host.Kernel) {
			host.Serve(k.Part("lamp"), set, func(c host.Run[req, res]) {
				note(c.Req().N)
				c.After(300*time.Millisecond, func() { c.Done(res{}) })
			})
		}}
	}
	d.boot(t, options())
	for range steps {
		if !d.step(time.Hour) {
			done = true
			break
		}
	}
	d.cut(keep)
	k := d.boot(t, options())
	n := get(k, counts, "n")
	if n == nil {
		n = &row{}
	}
	if n.N < most {
		t.Fatalf("cut at step %d: %d is stored, %d was seen", steps, n.N, most)
	}
	for i := max(1, n.N-2); i <= n.N; i++ {
		if r := get(k, counts, fmt.Sprint("twin", i%3)); r == nil || r.N != i {
			t.Fatalf("cut at step %d: the turn of %d is torn: %v", steps, i, r)
		}
	}
	d.run(time.Minute)
	if n := get(k, counts, "n"); n == nil || n.N != 6 {
		t.Fatalf("cut at step %d: the next boot ends with %v", steps, n)
	}
	return done
}

func TestRevisionsGrowOverBoots(t *testing.T) {
	d := newDesk()
	var last uint64
	for boot := uint64(1); boot <= 3; boot++ {
		k := d.boot(t, host.Options{Boot: boot, Agents: []agent.Entry{maker(2 * int(boot))},
			Wire: func(k *host.Kernel) {
				host.Serve(k.Part("lamp"), set, func(c host.Run[req, res]) { c.Done(res{}) })
			}})
		h, _ := k.Head(counts.Decl)
		if _, rev := h.Get("n"); rev > last {
			t.Fatalf("boot %d: the stored row has revision %d, it was put at %d", boot, rev, last)
		}
		d.run(time.Minute)
		h, _ = k.Head(counts.Decl)
		_, rev := h.Get("n")
		if rev <= last {
			t.Fatalf("boot %d: revision %d after %d", boot, rev, last)
		}
		last = rev
		d.cut(0)
	}
}

// A row that this program cannot read is set aside: its table is not complete, and the row is
// stored until it is put anew.
func TestRowsThatCannotBeReadAreSetAside(t *testing.T) {
	topic := bus.NewTopic[row](bus.Decl{Owner: "maker", Name: "Plan", Life: bus.Persistent,
		Version: 2})
	d := newDesk()
	store := func(key string, version int, val string) {
		d.stored[topic.String()+"\x00"+key] = host.Stored{Topic: topic.String(), Key: key, Rev: 7,
			Val: json.RawMessage(val), Version: version}
	}
	store("good", 0, `{"Name":"good","N":1,"Unknown":true}`)
	store("newer", 3, `{"Name":"newer","N":1}`)
	store("broken", 2, `{"Name":"broken","N":"one"}`)
	var p *bus.Pub[row]
	next := func() {}
	mk := entry("maker", func(port bus.Port) agent.Agent {
		p = bus.Publish(port, topic)
		return machine(func(t *agent.Turn) {
			next()
			p.Complete()
			t.WakeAt("again", t.Now+time.Second)
		})
	})
	k := d.boot(t, host.Options{Agents: []agent.Entry{mk}, FullTurn: 1})
	d.run(time.Second)
	if get(k, topic, "good") == nil || p.Len() != 1 || p.IsComplete() {
		t.Fatalf("complete %v, rows\n%s", p.IsComplete(), dump(k))
	}
	lines := strings.Join(d.lines, "\n")
	for _, want := range []string{"its version is 3, known is 2", "read row of maker/Plan: json:"} {
		if !strings.Contains(lines, "a stored row is set aside: ") || !strings.Contains(lines, want) {
			t.Errorf("lines do not say %q:\n%s", want, lines)
		}
	}
	next = func() { p.Put(row{"broken", 5}) }
	d.run(3 * time.Second)
	if p.IsComplete() {
		t.Fatal("complete while a row of a newer version is set aside")
	}
	next = func() { p.Put(row{"newer", 5}) }
	d.run(6 * time.Second)
	if !p.IsComplete() || p.Len() != 3 {
		t.Fatalf("complete %v, rows\n%s", p.IsComplete(), dump(k))
	}
	s := d.stored[topic.String()+"\x00newer"]
	if s.Version != 2 || string(s.Val) != `{"Name":"newer","N":5}` {
		t.Fatalf("stored %+v %s", s, s.Val)
	}
}

func TestRowsOfTopicsThatNobodyKnowsStayStored(t *testing.T) {
	d := newDesk()
	d.stored[others.String()+"\x00x"] = host.Stored{Topic: others.String(), Key: "x", Rev: 3,
		Val: json.RawMessage(`{"Name":"x","N":3}`)}
	for boot := uint64(1); boot <= 2; boot++ {
		k := d.boot(t, host.Options{Boot: boot, Agents: []agent.Entry{maker(2)}, Wire: lampDone})
		d.run(time.Minute)
		if _, ok := k.Head(others.Decl); ok {
			t.Fatal("the topic is known")
		}
		d.cut(0)
	}
	k := d.boot(t, host.Options{Boot: 3, Wire: lampDone, Agents: []agent.Entry{maker(2),
		entry("other", idle(func(p bus.Port) { bus.Publish(p, others) }))}})
	if r := get(k, others, "x"); r == nil || r.N != 3 {
		t.Fatalf("%v came back to its owner", r)
	}
	if got := sortedKeys(d.stored); !slices.Contains(got, "other/Note\x00x") {
		t.Fatalf("stored %q", got)
	}
}

func lampDone(k *host.Kernel) {
	host.Serve(k.Part("lamp"), set, func(c host.Run[req, res]) { c.Done(res{}) })
}
