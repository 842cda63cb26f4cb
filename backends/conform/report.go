package conform

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Report is what suites found, for a last line and for comparing real parts with their models.
type Report struct {
	mu   sync.Mutex
	list []result
}

// result is one case on one backend.
type result struct {
	part, name string
	on         Backend
	loose      string
	skipped    string
	failed     bool
	seen       map[string][]string
}

func (r *Report) add(x result) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, x)
}

// Print writes what was skipped and what differs, the number of cases of each part, on each real
// backend too, and one last line; it reports whether no real part differs from its model.
func (r *Report) Print(w io.Writer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(r.list, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.name, b.name),
			cmp.Compare(a.on.Name, b.on.Name))
	})
	cases, real, parts := map[string]bool{}, map[string]bool{}, []string{}
	count, on := map[string][2]int{}, map[string]map[string]int{}
	skipped, differ := 0, 0
	for _, x := range r.list {
		id := x.part + "/" + x.name
		n := count[x.part]
		if !cases[id] {
			cases[id] = true
			n[0]++
		}
		switch {
		case x.skipped != "":
			skipped++
			fmt.Fprintf(w, "skipped on %s: %s: %s\n", x.on.Name, id, x.skipped)
		case x.on.Real:
			if !real[id] && !x.on.StandIn {
				real[id] = true
				n[1]++
			}
			if on[x.part] == nil {
				on[x.part] = map[string]int{}
			}
			on[x.part][x.on.Name]++
			if text := r.differs(x); text != "" {
				differ++
				fmt.Fprintf(w, "differs on %s: %s\n      %s\n", x.on.Name, id, text)
			}
		}
		count[x.part] = n
		if !slices.Contains(parts, x.part) {
			parts = append(parts, x.part)
		}
	}
	for _, p := range parts {
		fmt.Fprintf(w, "%-7s %3d cases, %d on the real part%s\n", p, count[p][0], count[p][1],
			backends(on[p]))
	}
	fmt.Fprintf(w, "%d cases, %d on the real part, %d skipped, %d differ\n", len(cases), len(real),
		skipped, differ)
	return differ == 0
}

// backends lists real backends with the number of cases that each was run on.
func backends(on map[string]int) string {
	var list []string
	for name, n := range on { //order: sorted below
		list = append(list, fmt.Sprintf("%s %d", name, n))
	}
	if len(list) == 0 {
		return ""
	}
	slices.Sort(list)
	return ": " + strings.Join(list, ", ")
}

// differs compares a case on a real part with the same on its model. A case that failed says so
// itself.
func (r *Report) differs(x result) string {
	if x.loose != "" || x.failed {
		return ""
	}
	model := cmp.Or(x.on.Model, "model")
	for _, m := range r.list {
		if m.part == x.part && m.name == x.name && m.on.Name == model && !m.failed && m.skipped == "" {
			return difference(m.seen, x.seen)
		}
	}
	return ""
}
