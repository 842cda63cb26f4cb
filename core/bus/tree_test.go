package bus

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is a table as a map: key to revision.
type model map[string]uint64

// history is a row of versions with the model of each.
type history struct {
	versions []*version
	models   []model
}

func newHistory() *history {
	return &history{[]*version{{rev: 1 << 32}}, []model{{}}}
}

func (h *history) last() (*version, model) {
	n := len(h.versions) - 1
	return h.versions[n], h.models[n]
}

// put makes the next version; val nil deletes a key that is there.
func (h *history) put(key string, val any) {
	v, m := h.last()
	var p path
	p.seek(v, key)
	next := v.with(&p, val)
	m = maps.Clone(m)
	if val == nil {
		delete(m, key)
	} else {
		m[key] = next.rev
	}
	h.versions, h.models = append(h.versions, next), append(h.models, m)
}

// check compares a version with its model and looks at the order within its nodes.
func check(t *rapid.T, v *version, m model) {
	t.Helper()
	if int(v.n) != len(m) {
		t.Fatalf("%d rows, %d in the model", v.n, len(m))
	}
	want := slices.Sorted(maps.Keys(m))
	i := 0
	v.root.each(func(e *entry) bool {
		if i >= len(want) || e.key != want[i] || e.rev != m[e.key] {
			t.Fatalf("row %d is %s at %d, the model has %v", i, e.key, e.rev, m)
		}
		i++
		return true
	})
	for _, from := range []string{"", "k00002", "k0002", "k00399x", "l"} {
		at, _ := slices.BinarySearch(want, from)
		v.root.from(from, func(e *entry) bool {
			if at >= len(want) || e.key != want[at] {
				t.Fatalf("row %d from %q on is %s", at, from, e.key)
			}
			at++
			return true
		})
		if at != len(want) {
			t.Fatalf("%d of %d rows when walked from %q on", at, len(want), from)
		}
	}
	for _, k := range want {
		if e := v.get(k); e == nil || e.rev != m[k] {
			t.Fatalf("get %s: %v, want revision %d", k, e, m[k])
		}
	}
	if v.root != nil {
		checkNode(t, v.root)
	}
}

func checkNode(t *rapid.T, n *node) {
	t.Helper()
	if len(n.keys) == 0 || len(n.keys) != len(n.rows)+len(n.kids) || len(n.keys) > nodeMax ||
		n.rows != nil && n.kids != nil || !slices.IsSorted(n.keys) {
		t.Fatalf("node of %d keys, %d rows, %d kids: %q", len(n.keys), len(n.rows), len(n.kids),
			n.keys)
	}
	for i, e := range n.rows {
		if e.key != n.keys[i] {
			t.Fatalf("row %s stands under %s", e.key, n.keys[i])
		}
	}
	for i, k := range n.kids {
		if k.keys[0] != n.keys[i] {
			t.Fatalf("the kid that begins with %s stands under %s", k.keys[0], n.keys[i])
		}
		checkNode(t, k)
	}
}

// drawPuts draws puts and deletes: some at random, some in long ascending and descending runs that
// split and empty nodes.
func drawPuts(t *rapid.T, h *history) {
	wide := rapid.SampledFrom([]int{3, 40, 3000}).Draw(t, "keys")
	key := func(n int) string { return fmt.Sprintf("k%05d", n%wide) }
	for range rapid.IntRange(0, 30).Draw(t, "runs") {
		from := rapid.IntRange(0, wide-1).Draw(t, "from")
		n := rapid.SampledFrom([]int{1, 1, 2, 7, 60, 400}).Draw(t, "n")
		step := rapid.SampledFrom([]int{1, wide - 1, 17}).Draw(t, "step")
		del := rapid.Bool().Draw(t, "delete")
		for i := range n {
			k := key(from + i*step)
			_, m := h.last()
			if _, has := m[k]; !del {
				h.put(k, &struct{}{})
			} else if has {
				h.put(k, nil)
			}
		}
	}
}

// Every version equals its model, also after many versions grew out of it.
func TestTreeIsAMapThatKeepsItsPast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory()
		drawPuts(t, h)
		for i := range h.versions {
			if i%97 == 0 || i == len(h.versions)-1 {
				check(t, h.versions[i], h.models[i])
			}
		}
	})
}

// change is what a diff yields.
type change struct {
	key      string
	old, new uint64 // revisions, 0 if absent
}

func collect(was, now *version, by func(a, b *version, y func(string, *entry, *entry) bool)) (
	out []change,
) {
	by(was, now, func(key string, a, b *entry) bool {
		c := change{key: key}
		if a != nil {
			c.old = a.rev
		}
		if b != nil {
			c.new = b.rev
		}
		out = append(out, c)
		return true
	})
	return out
}

func modelDiff(was, now model) (out []change) {
	all := maps.Clone(was)
	maps.Copy(all, now)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if was[k] != now[k] {
			out = append(out, change{k, was[k], now[k]})
		}
	}
	return out
}

// The difference of two versions is the model's, whether it is read from the log or from the trees.
func TestDiffByLogAndByTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory()
		drawPuts(t, h)
		n := len(h.versions)
		j := rapid.IntRange(0, n-1).Draw(t, "now")
		for _, back := range []int{0, 1, 2, 5, 31, 33, 90, 97, 500} {
			i := max(0, j-back)
			was, now := h.versions[i], h.versions[j]
			want := modelDiff(h.models[i], h.models[j])
			if got := collect(was, now, diff); !slices.Equal(got, want) {
				t.Fatalf("%d back: diff %v, want %v", back, got, want)
			}
			if got := collect(was, now, diffTree); !slices.Equal(got, want) {
				t.Fatalf("%d back: by tree %v, want %v", back, got, want)
			}
			if now.past == nil || len(now.past.log) == 0 || now.past.log[0].rev > was.rev+1 {
				continue
			}
			if got := collect(was, now, diffLog); !slices.Equal(got, want) {
				t.Fatalf("%d back: by log %v, want %v", back, got, want)
			}
		}
	})
}

// A consumer may stop a diff after any row.
func TestDiffStopsWhenTold(t *testing.T) {
	h := newHistory()
	for i := range 200 {
		h.put(fmt.Sprintf("k%03d", i*7%200), &struct{}{})
	}
	for _, was := range []int{0, 1, 50, 150, 199} {
		n := 0
		diff(h.versions[was], h.versions[200], func(string, *entry, *entry) bool {
			n++
			return false
		})
		if n != 1 {
			t.Errorf("from version %d: %d rows after the consumer had enough", was, n)
		}
	}
}

// The log of a table of several leaves answers for at least logKeep changes, or all since it became
// one, and never grows beyond logMax.
func TestLogReachesBack(t *testing.T) {
	h := newHistory()
	for i := range 500 {
		h.put(fmt.Sprintf("k%d", i%50), &struct{}{})
		v, _ := h.last()
		if v.past == nil {
			if i >= nodeMax {
				t.Fatalf("a table of %d rows keeps no log", v.n)
			}
			continue
		}
		log := v.past.log
		if len(log) > logMax || len(log) < min(i+1-nodeMax, logKeep) {
			t.Fatalf("after %d changes the log has %d", i+1, len(log))
		}
		if log[len(log)-1].rev != v.rev {
			t.Fatalf("the log ends at %d, the version is %d", log[len(log)-1].rev, v.rev)
		}
	}
}

// A small table keeps nothing of its past alive: no log, no row that is not in it any more.
func TestASmallTableKeepsNoPast(t *testing.T) {
	h := newHistory()
	for i := range 500 {
		h.put(fmt.Sprintf("k%d", i%nodeMax), &struct{}{})
		if v, _ := h.last(); v.past != nil {
			t.Fatalf("a table of %d rows has a log of %d", v.n, len(v.past.log))
		}
	}
	h.put("l", &struct{}{})
	if v, _ := h.last(); v.past == nil {
		t.Fatalf("a table of %d rows has no log", v.n)
	}
}
