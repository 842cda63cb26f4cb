package plan

import (
	"cmp"
	"fmt"
	"slices"
)

// newPlanner lines up the three lists by key and resolves the needs.
func newPlanner(g *Graph) (*planner, error) {
	p := &planner{graph: g}
	if !p.merge(g.Intended, g.Seen, g.InFlight) {
		want := byKey(g.Intended, itemKey)
		seen := byKey(g.Seen, itemKey)
		calls := byKey(g.InFlight, callKey)
		if !p.merge(want, seen, calls) {
			return nil, cmp.Or(twice("intended", want, itemKey), twice("seen", seen, itemKey),
				twice("in-flight", calls, callKey))
		}
	}
	p.resolve()
	return p, nil
}

func itemKey(it *Item) string { return it.Key }
func callKey(c *Call) string  { return c.Key }

// byKey returns a sorted copy of a list.
func byKey[T any](list []T, key func(*T) string) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(key(&a), key(&b)) })
	return list
}

// twice names a key that a sorted list holds twice.
func twice[T any](name string, list []T, key func(*T) string) error {
	for i := 1; i < len(list); i++ {
		if k := key(&list[i]); k == key(&list[i-1]) {
			return fmt.Errorf("plan: two %s entries with key %s", name, k)
		}
	}
	return nil
}

// merge makes one node for each key of the three lists, in key order. It reports whether each
// list was sorted and without a key twice.
func (p *planner) merge(want, seen []Item, calls []Call) bool {
	p.nodes = make([]node, 0, max(len(want), len(seen))+len(calls))
	last := ""
	for len(want) > 0 || len(seen) > 0 || len(calls) > 0 {
		key := least(want, seen, calls)
		if key <= last && len(p.nodes) > 0 {
			return false
		}
		last = key
		p.nodes = append(p.nodes, node{key: key, heldBy: nowhere})
		n := &p.nodes[len(p.nodes)-1]
		if len(want) > 0 && want[0].Key == key {
			if !want[0].External {
				n.want = &want[0]
			}
			want = want[1:]
		}
		if len(seen) > 0 && seen[0].Key == key {
			n.seen, seen = &seen[0], seen[1:]
		}
		if len(calls) > 0 && calls[0].Key == key {
			n.call, calls = &calls[0], calls[1:]
		}
	}
	return true
}

// least returns the smallest first key of the lists; one of them is not empty.
func least(want, seen []Item, calls []Call) string {
	key, found := "", false
	if len(want) > 0 {
		key, found = want[0].Key, true
	}
	if len(seen) > 0 && (!found || seen[0].Key < key) {
		key, found = seen[0].Key, true
	}
	if len(calls) > 0 && (!found || calls[0].Key < key) {
		key = calls[0].Key
	}
	return key
}

// resolve finds the nodes that the needs name.
func (p *planner) resolve() {
	index := make(map[string]int32, len(p.nodes))
	count := 0
	for i := range p.nodes {
		index[p.nodes[i].key] = int32(i)
		if w := p.nodes[i].want; w != nil {
			count += len(w.Needs)
		}
	}
	p.edges = make([]edge, 0, count)
	for i := range p.nodes {
		n := &p.nodes[i]
		if n.want != nil {
			n.need = p.link(index, n.want.Needs)
		}
		if !n.mine() {
			continue
		}
		n.changes = n.want != nil && n.seen.Spec != n.want.Spec
		if n.want != nil && (!n.changes || n.seen.Needs == nil) {
			n.base = n.need
		} else {
			n.base = p.link(index, n.seen.Needs)
		}
	}
}

// link appends the edges of a list of needs.
func (p *planner) link(index map[string]int32, needs []Need) span {
	from := int32(len(p.edges))
	for i := range needs {
		to, known := index[needs[i].Key]
		if !known {
			to = nowhere
		}
		p.edges = append(p.edges, edge{need: &needs[i], to: to})
	}
	return span{from, int32(len(p.edges))}
}
