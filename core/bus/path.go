package bus

import "slices"

// path is the way to a key in one version: what a put looked up to compare, so that the write
// behind it has nothing to look up again.
type path struct {
	at    *version
	key   string
	found *entry
	steps []place // from the root to the leaf
}

// seek finds the way to key.
func (p *path) seek(v *version, key string) *entry {
	p.at, p.key, p.found, p.steps = v, key, nil, p.steps[:0]
	n := v.root
	if n == nil {
		return nil
	}
	for n.kids != nil {
		i := n.slot(key)
		p.steps = append(p.steps, place{n, i})
		n = n.kids[i]
	}
	i, ok := n.find(key)
	p.steps = append(p.steps, place{n, i})
	if ok {
		p.found = n.rows[i]
	}
	return p.found
}

// set returns the tree with e at the end of the way.
func (p *path) set(e *entry) *node {
	d := len(p.steps) - 1
	if d < 0 {
		n, rows := leafOf(1)
		rows[0] = e
		n.keys, n.rows = []string{e.key}, rows
		return n
	}
	if p.found != nil {
		n := p.steps[d].n.withRow(p.steps[d].i, e)
		for d--; d >= 0; d-- {
			n = p.steps[d].n.withKid(p.steps[d].i, n)
		}
		return n
	}
	l, r := p.steps[d].n.insertRow(p.steps[d].i, e)
	for d--; d >= 0; d-- {
		l, r = p.steps[d].n.replaceKid(p.steps[d].i, l, r)
	}
	if r != nil {
		l = newInner([]*node{l, r})
	}
	return l
}

// remove returns the tree less the row at the end of the way, nil when nothing is left.
func (p *path) remove() *node {
	d := len(p.steps) - 1
	n, i := p.steps[d].n, p.steps[d].i
	var out *node
	if len(n.rows) > 1 {
		out = newLeaf(slices.Concat(n.keys[:i], n.keys[i+1:]),
			slices.Concat(n.rows[:i], n.rows[i+1:]))
	}
	for d--; d >= 0; d-- {
		n, i = p.steps[d].n, p.steps[d].i
		switch {
		case out != nil:
			out, _ = n.replaceKid(i, out, nil)
		case len(n.kids) == 2:
			out = n.kids[1-i]
		case len(n.kids) > 2:
			out = newInner(slices.Concat(n.kids[:i], n.kids[i+1:]))
		}
	}
	return out
}

func newLeaf(keys []string, rows []*entry) *node { return &node{keys: keys, rows: rows} }

func newInner(kids []*node) *node {
	keys := make([]string, len(kids))
	for i, k := range kids {
		keys[i] = k.keys[0]
	}
	return &node{keys: keys, kids: kids}
}

// withRow is a leaf with another row at i under the same key.
func (n *node) withRow(i int, e *entry) *node {
	var out *node
	out, rows := leafOf(len(n.rows))
	copy(rows, n.rows)
	rows[i] = e
	out.keys, out.rows = n.keys, rows
	return out
}

// withKid is an inner node with another kid at i that begins with the same key.
func (n *node) withKid(i int, k *node) *node {
	out, kids := innerOf(len(n.kids))
	copy(kids, n.kids)
	kids[i] = k
	out.keys, out.kids = n.keys, kids
	return out
}

// insertRow is a leaf with one row more; right is not nil where it had to split.
func (n *node) insertRow(i int, e *entry) (left, right *node) {
	keys, rows := insert(n.keys, i, e.key), insert(n.rows, i, e)
	if len(rows) <= nodeMax {
		return newLeaf(keys, rows), nil
	}
	h := split(len(rows), i == len(rows)-1)
	return newLeaf(slices.Clone(keys[:h]), slices.Clone(rows[:h])),
		newLeaf(slices.Clone(keys[h:]), slices.Clone(rows[h:]))
}

// replaceKid is an inner node with l, and r unless it is nil, in the place of the kid at i; right
// is not nil where it had to split.
func (n *node) replaceKid(i int, l, r *node) (left, right *node) {
	if r == nil {
		kids := slices.Clone(n.kids)
		kids[i] = l
		return newInner(kids), nil
	}
	kids := insert(n.kids, i+1, r)
	kids[i] = l
	if len(kids) <= nodeMax {
		return newInner(kids), nil
	}
	h := split(len(kids), i == len(kids)-2)
	return newInner(slices.Clone(kids[:h])), newInner(slices.Clone(kids[h:]))
}

// split is where a node of n parts is cut in two: in the middle, but before the last part if the
// table is filled in ascending order, so that what is left behind is full.
func split(n int, ascending bool) int {
	if ascending {
		return n - 1
	}
	return n / 2
}

func insert[T any](s []T, i int, v T) []T {
	out := make([]T, len(s)+1)
	copy(out, s[:i])
	out[i] = v
	copy(out[i+1:], s[i:])
	return out
}

// A node and the pointers it holds are one piece of memory where a put only replaces one of them.
type (
	leaf1 struct {
		node
		a [1]*entry
	}
	leaf4 struct {
		node
		a [4]*entry
	}
	leaf16 struct {
		node
		a [16]*entry
	}
	leaf32 struct {
		node
		a [nodeMax]*entry
	}
	inner16 struct {
		node
		a [16]*node
	}
	inner32 struct {
		node
		a [nodeMax]*node
	}
)

func leafOf(n int) (*node, []*entry) {
	switch {
	case n == 1:
		b := &leaf1{}
		return &b.node, b.a[:n]
	case n <= 4:
		b := &leaf4{}
		return &b.node, b.a[:n]
	case n <= 16:
		b := &leaf16{}
		return &b.node, b.a[:n]
	}
	b := &leaf32{}
	return &b.node, b.a[:n]
}

func innerOf(n int) (*node, []*node) {
	if n <= 16 {
		b := &inner16{}
		return &b.node, b.a[:n]
	}
	b := &inner32{}
	return &b.node, b.a[:n]
}
