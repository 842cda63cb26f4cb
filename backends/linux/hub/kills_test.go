package hub_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// book is what the agents are to have: names and numbers of notes and of deeds.
type book struct{ notes, deeds map[string]uint64 }

func (b book) clone() book { return book{maps.Clone(b.notes), maps.Clone(b.deeds)} }

func words(m map[string]uint64) string {
	var s []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s = append(s, fmt.Sprintf("%s=%d", k, m[k]))
	}
	return "(" + strings.Join(s, ",") + ")"
}

func (b book) String() string { return words(b.notes) + " " + words(b.deeds) }

// trial is one run: the processes, and what they must have.
type trial struct {
	t       *testing.T
	dir     string
	draw    *rand.Rand
	h, a, b *process
	n       uint64
	now     book   // when a has done all it was told
	since   []book // what it may have come to since all was known to be visible
	seen    book   // what b has said
	newest  map[string]uint64
}

// Whoever is killed or stopped, at any moment: agents find what they had done up to some turn,
// nothing that was visible is ever taken back, a durable row survives a power cut, and in the end
// everybody has what the reference has.
func TestDEV13_RandomKills(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			x := &trial{t: t, dir: short(t), draw: rand.New(rand.NewPCG(seed, 1)),
				now: book{map[string]uint64{}, map[string]uint64{}}, newest: map[string]uint64{}}
			x.h, x.a = start(t, x.dir, "hub"), start(t, x.dir, "a")
			x.a.await("began () ()")
			x.startB("() ()")
			x.settle()
			for range 25 {
				x.act()
			}
			x.finish()
		})
	}
}

// act does one thing by draw.
func (x *trial) act() {
	for range x.draw.IntN(6) {
		x.command()
	}
	switch x.draw.IntN(7) {
	case 0:
		x.settle()
	case 1: // the agent is killed
		x.a.kill()
		x.returnA(false)
	case 2: // the subscriber is killed
		x.settle()
		x.watch()
		x.b.kill()
		x.startB(x.now.String())
	case 3: // the hub is killed
		x.h.kill()
		x.command()
		x.h = start(x.t, x.dir, "hub")
		x.settle()
	case 4: // the subscriber stands still for a while
		x.b.signal(syscall.SIGSTOP)
		x.command()
		x.settle()
		x.b.signal(syscall.SIGCONT)
	case 5: // the power is cut
		x.h.kill()
		x.a.kill()
		x.h = start(x.t, x.dir, "hub")
		x.returnA(true)
	case 6: // the hub stands still for a while
		x.h.signal(syscall.SIGSTOP)
		x.command()
		x.h.signal(syscall.SIGCONT)
	}
}

// command has a do something.
func (x *trial) command() {
	x.n++
	key := fmt.Sprintf("k%d", x.draw.IntN(5))
	switch x.draw.IntN(5) {
	case 0:
		x.a.tell("delete %s", key)
		delete(x.now.notes, key)
	case 1:
		x.a.tell("undeed %s", key)
		delete(x.now.deeds, key)
	case 2:
		x.a.tell("deed %s %d", key, x.n)
		x.now.deeds[key] = x.n
	default:
		x.a.tell("put %s %d", key, x.n)
		x.now.notes[key] = x.n
	}
	x.since = append(x.since, x.now.clone())
}

// settle waits until all that a was told is visible.
func (x *trial) settle() {
	x.t.Helper()
	x.a.settle()
	x.since = []book{x.now.clone()}
}

// returnA starts a again and finds out how far it came; after a power cut it has nothing but deeds.
func (x *trial) returnA(cut bool) {
	x.t.Helper()
	x.a = start(x.t, x.dir, "a")
	l, _ := x.a.await("began")
	i := slices.IndexFunc(x.since, func(b book) bool {
		if cut {
			b.notes = nil
		}
		return l == "began "+b.String()
	})
	if i < 0 {
		x.t.Fatalf("a came back to %q, which is none of %v", l, x.since)
	}
	if x.now = x.since[i].clone(); cut {
		x.now.notes = map[string]uint64{}
	}
	x.settle()
}

// startB starts b, which must find what is visible.
func (x *trial) startB(want string) {
	x.t.Helper()
	x.b = start(x.t, x.dir, "b")
	if l, _ := x.b.await("began"); l != "began "+want+" false" {
		x.t.Fatalf("b found %q, not %s", l, want)
	}
	x.seen = book{map[string]uint64{}, map[string]uint64{}}
}

// watch has a put a last row and reads what b says until it has that.
func (x *trial) watch() {
	x.t.Helper()
	x.n++
	x.a.tell("put end %d", x.n)
	x.now.notes["end"] = x.n
	x.settle()
	l, before := x.b.await(fmt.Sprintf("note end %d", x.n))
	for _, line := range append(before, l) {
		x.hear(line)
	}
}

// hear follows a line of b, which must not tell of anything older than it told before.
func (x *trial) hear(line string) {
	x.t.Helper()
	f := strings.Fields(line)
	var table map[string]uint64
	switch f[0] {
	case "note":
		table = x.seen.notes
	case "deed":
		table = x.seen.deeds
	case "torn":
		x.t.Errorf("a turn was seen in halves: %s", line)
		return
	default:
		return
	}
	if f[2] == "gone" {
		delete(table, f[1])
		return
	}
	var n uint64
	if _, err := fmt.Sscan(f[2], &n); err != nil {
		x.t.Fatal(err)
	}
	id := f[0] + f[1]
	if table[f[1]] = n; n < x.newest[id] {
		x.t.Errorf("%s after %d", line, x.newest[id])
	}
	x.newest[id] = n
}

// finish compares what everybody has.
func (x *trial) finish() {
	x.t.Helper()
	x.watch()
	x.n++ // deeds and notes may come in different states: one more round brings the last of both
	x.a.tell("deed end %d", x.n)
	x.now.deeds["end"] = x.n
	_, before := x.b.await(fmt.Sprintf("deed end %d", x.n))
	for _, line := range before {
		x.hear(line)
	}
	x.seen.deeds["end"] = x.n
	x.settle()
	if x.seen.String() != x.now.String() {
		x.t.Errorf("b followed to %v, a has %v", x.seen, x.now)
	}
	x.b.kill()
	x.startB(x.now.String())
	x.a.kill()
	x.since = []book{x.now.clone()}
	x.returnA(false)
}
