package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evetwin/evetwin/core/plan"
)

func timeOf(s int64) time.Duration { return time.Duration(s) * time.Second }

// even accepts items whose spec ends in an even digit: a predicate that some specs break.
func even(it *plan.Item) bool { return strings.HasSuffix(it.Spec, "0") || it.External }

// drawItems draws a graph without cycles over the keys a0.. and external keys x0..; the order of
// the keys and the order of the needs are unrelated.
func drawItems(t *rapid.T, keys []string, externals int) []plan.Item {
	perm := rapid.Permutation(keys).Draw(t, "order")
	var items []plan.Item
	for i, key := range perm {
		if !rapid.Bool().Draw(t, "intended") {
			continue
		}
		it := plan.Item{Key: key, Spec: fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "spec")),
			Replace: rapid.IntRange(0, 3).Draw(t, "replace") == 0, Needs: []plan.Need{}}
		for range rapid.IntRange(0, 3).Draw(t, "needs") {
			n := plan.Need{Recreate: rapid.IntRange(0, 3).Draw(t, "recreate") == 0}
			if rapid.IntRange(0, 2).Draw(t, "predicate") == 0 {
				n.Holds = even
			}
			if pick := rapid.IntRange(0, i+externals-1).Draw(t, "on"); pick < i {
				n.Key = perm[pick]
			} else {
				n.Key = fmt.Sprint("x", pick-i)
			}
			if !slices.ContainsFunc(it.Needs, func(o plan.Need) bool { return o.Key == n.Key }) {
				it.Needs = append(it.Needs, n)
			}
		}
		// The spec says all there is to an item, as the contract asks.
		for _, n := range it.Needs {
			it.Spec = fmt.Sprint(n.Key, n.Recreate, n.Holds != nil, " ", it.Spec)
		}
		items = append(items, it)
	}
	return items
}

// settle runs turns until nothing is under way and nothing is wanted.
func settle(t *rapid.T, w *world) plan.Steps {
	for range 1000 {
		s, err := w.turn()
		if err != nil {
			t.Fatal(err)
		}
		running := w.running()
		if len(running) == 0 {
			return s
		}
		key := rapid.SampledFrom(running).Draw(t, "finish")
		w.finish(key, rapid.Bool().Draw(t, "late effect"))
	}
	t.Fatalf("no end in 1000 turns: %v", w.specs())
	return plan.Steps{}
}

// check judges the end of a run.
func check(t *rapid.T, w *world, s plan.Steps) {
	if len(w.broken) > 0 {
		t.Fatalf("laws broken: %v", w.broken)
	}
	if got, want := w.specs(), w.expected(); !maps.Equal(got, want) {
		t.Fatalf("there is %v\nwanted   %v\nsteps %+v", got, want, s)
	}
	if !s.Settled() {
		t.Fatalf("at the end still: %+v", s)
	}
}

// editItems changes a few things of a graph: items go while their users stay, specs change.
func editItems(t *rapid.T, items []plan.Item) []plan.Item {
	var out []plan.Item
	for _, it := range items {
		switch rapid.IntRange(0, 4).Draw(t, "edit") {
		case 0: // gone
		case 1:
			cut := it.Spec[:len(it.Spec)-1]
			it.Spec = fmt.Sprint(cut, rapid.IntRange(0, 2).Draw(t, "spec"))
			out = append(out, it)
		default:
			out = append(out, it)
		}
	}
	return out
}

// disturb lets one thing happen to a world: a call ends, the agent crashes, or, while no call
// runs, something seen goes and an external item comes.
func disturb(t *rapid.T, w *world) {
	running := w.running()
	if len(running) == 0 {
		if len(w.seen) > 0 && rapid.Bool().Draw(t, "drift") {
			lost := rapid.SampledFrom(slices.Sorted(maps.Keys(w.seen))).Draw(t, "lost")
			delete(w.seen, lost)
		}
		if rapid.Bool().Draw(t, "appears") {
			k := fmt.Sprint("x", rapid.IntRange(0, 1).Draw(t, "external"))
			w.seen[k] = plan.Item{Key: k, External: true}
		}
		return
	}
	key := rapid.SampledFrom(running).Draw(t, "key")
	switch {
	case rapid.IntRange(0, 5).Draw(t, "fate") == 0:
		// The calls end with their agent, some done and some not.
		w.crash(func(string) bool { return rapid.Bool().Draw(t, "lucky") })
	case w.calls[key].over == nil && rapid.IntRange(0, 5).Draw(t, "fate") == 0:
		w.fail(key, "no luck", 0)
	default:
		w.finish(key, rapid.Bool().Draw(t, "late effect"))
	}
}

// TestAnyOrderConverges: wishes change in the middle of the work, calls end in any order or fail,
// the agent loses all its calls at any moment, things vanish; the laws hold at every moment, and
// when the failures end, the end is as intended.
func TestAnyOrderConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := []string{"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"}
		w := newWorld(nil)
		for phase := range rapid.IntRange(1, 5).Draw(t, "wishes") {
			if phase > 0 && rapid.IntRange(0, 3).Draw(t, "small change") > 0 {
				w.intended = editItems(t, w.intended)
			} else {
				w.intended = drawItems(t, keys, 2)
			}
			for range rapid.IntRange(0, 12).Draw(t, "turns") {
				if _, err := w.turn(); err != nil {
					t.Fatal(err)
				}
				disturb(t, w)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(w.ended)) {
			delete(w.ended, key) // whoever failed may try again
		}
		check(t, w, settle(t, w))
		before := w.actions
		if s, err := w.turn(); err != nil || len(s.Want)+len(s.Drop) > 0 {
			t.Fatalf("once more wanted %+v, %v", s, err)
		}
		if w.actions != before {
			t.Fatal("a settled world was acted upon")
		}
	})
}

// TestSameGraphSamePlan: a plan does not depend on the order in which its lists are written.
func TestSameGraphSamePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := []string{"a0", "a1", "a2", "a3", "a4", "a5"}
		w := newWorld(drawItems(t, keys, 1), plan.Item{Key: "x0", External: true})
		settle(t, w)
		w.intended = drawItems(t, keys, 1)
		g := w.graph()
		one, err := plan.Plan(g)
		if err != nil {
			t.Fatal(err)
		}
		g.Intended = rapid.Permutation(g.Intended).Draw(t, "intended order")
		g.Seen = rapid.Permutation(g.Seen).Draw(t, "seen order")
		two, err := plan.Plan(g)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := text(one), text(two); a != b {
			t.Fatalf("%s\nother order:\n%s", a, b)
		}
	})
}

// TestDryReachesTheEnd: the run on paper ends where the world ends.
func TestDryReachesTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := []string{"a0", "a1", "a2", "a3", "a4", "a5"}
		w := newWorld(drawItems(t, keys, 1), plan.Item{Key: "x0", External: true})
		settle(t, w)
		w.intended = drawItems(t, keys, 1)
		rounds, err := plan.Dry(w.graph())
		if err != nil {
			t.Fatal(err)
		}
		for _, round := range rounds {
			for _, a := range round {
				w.apply(&job{Action: a})
			}
		}
		if len(w.broken) > 0 || !maps.Equal(w.specs(), w.expected()) {
			t.Fatalf("broken %v, there is %v, wanted %v", w.broken, w.specs(), w.expected())
		}
	})
}

// text writes the lists of a plan without addresses.
func text(s plan.Steps) string {
	var b strings.Builder
	for _, a := range s.Want {
		fmt.Fprintln(&b, a.Verb, a.Key, a.Spec, a.Again)
	}
	fmt.Fprintln(&b, s.Drop)
	for _, list := range [][]plan.Hold{s.Pending, s.Waiting, s.Blocked} {
		for _, h := range list {
			fmt.Fprintln(&b, h.Key, h.Why, h.On, h.Fault)
		}
		fmt.Fprintln(&b, "-")
	}
	return b.String()
}
