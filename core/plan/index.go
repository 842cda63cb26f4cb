package plan

import (
	"cmp"
	"fmt"
	"slices"
)

// newPlanner lines up the three lists by key and resolves the needs.
func newPlanner(g *Graph) (*planner, error) {
	p := &planner{graph: g}
	want, err := sorted("intended", g.Intended, func(it *Item) string { return it.Key })
	if err != nil {
		return nil, err
	}
	seen, err := sorted("seen", g.Seen, func(it *Item) string { return it.Key })
	if err != nil {
		return nil, err
	}
	calls, err := sorted("in-flight", g.InFlight, func(c *Call) string { return c.Key })
	if err != nil {
		return nil, err
	}
	p.merge(want, seen, calls)
	p.resolve()
	return p, nil
}

// sorted returns the list by key, the list itself if it is in order, and refuses a key twice.
func sorted[T any](name string, list []T, key func(*T) string) ([]T, error) {
	compare := func(a, b T) int { return cmp.Compare(key(&a), key(&b)) }
	inOrder := true
	for i := 1; i < len(list) && inOrder; i++ {
		inOrder = key(&list[i-1]) <= key(&list[i])
	}
	if !inOrder {
		list = slices.Clone(list)
		slices.SortStableFunc(list, compare)
	}
	for i := 1; i < len(list); i++ {
		if k := key(&list[i]); k == key(&list[i-1]) {
			return nil, fmt.Errorf("plan: two %s entries with key %s", name, k)
		}
	}
	return list, nil
}

// merge makes one node for each key of the three sorted lists, in key order.
func (p *planner) merge(want, seen []Item, calls []Call) {
	p.nodes = make([]node, 0, max(len(want), len(seen))+len(calls))
	for len(want) > 0 || len(seen) > 0 || len(calls) > 0 {
		key, first := "", true
		least := func(k string) {
			if first || k < key {
				key, first = k, false
			}
		}
		if len(want) > 0 {
			least(want[0].Key)
		}
		if len(seen) > 0 {
			least(seen[0].Key)
		}
		if len(calls) > 0 {
			least(calls[0].Key)
		}
		n := node{key: key, heldBy: nowhere}
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
		p.nodes = append(p.nodes, n)
	}
}

// resolve finds the nodes that the needs name.
func (p *planner) resolve() {
	p.index = make(map[string]int32, len(p.nodes))
	count := 0
	for i := range p.nodes {
		p.index[p.nodes[i].key] = int32(i)
		if w := p.nodes[i].want; w != nil {
			count += len(w.Needs)
		}
	}
	p.edges = make([]edge, 0, count)
	for i := range p.nodes {
		n := &p.nodes[i]
		if n.want != nil {
			n.need = p.link(n.want.Needs)
		}
		switch {
		case !n.mine():
		case n.want != nil && (n.seen.Spec == n.want.Spec || n.seen.Needs == nil):
			n.base = n.need
		default:
			n.base = p.link(n.seen.Needs)
		}
	}
}

// link appends the edges of a list of needs.
func (p *planner) link(needs []Need) span {
	from := int32(len(p.edges))
	for i := range needs {
		to, known := p.index[needs[i].Key]
		if !known {
			to = nowhere
		}
		p.edges = append(p.edges, edge{need: &needs[i], to: to})
	}
	return span{from, int32(len(p.edges))}
}
