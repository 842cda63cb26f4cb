package bus

import "slices"

// entry is a row in a table; val holds a *V.
type entry struct {
	key string
	rev uint64
	val any
}

// node is an immutable part of a sorted tree: a leaf holds entries, an inner node holds kids.
type node struct {
	rows []entry
	kids []kid
}

// kid is a subtree and its first key.
type kid struct {
	first string
	*node
}

// nodeMax bounds rows of a leaf and kids of an inner node. A put copies one of each level, so the
// cost of a put grows with the logarithm of the table.
const nodeMax = 32

func (n *node) first() string {
	if n.kids != nil {
		return n.kids[0].first
	}
	return n.rows[0].key
}

// slot is the index of the kid whose range holds key.
func (n *node) slot(key string) int {
	lo, hi := 0, len(n.kids)
	for hi-lo > 1 {
		if m := int(uint(lo+hi) / 2); n.kids[m].first <= key {
			lo = m
		} else {
			hi = m
		}
	}
	return lo
}

// find is the index of key in a leaf, or where it belongs.
func (n *node) find(key string) (int, bool) {
	lo, hi := 0, len(n.rows)
	for lo < hi {
		if m := int(uint(lo+hi) / 2); n.rows[m].key < key {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo, lo < len(n.rows) && n.rows[lo].key == key
}

func (n *node) get(key string) *entry {
	if n == nil {
		return nil
	}
	for n.kids != nil {
		n = n.kids[n.slot(key)].node
	}
	if i, ok := n.find(key); ok {
		return &n.rows[i]
	}
	return nil
}

// with returns the tree with e set; right is not nil where the node had to split.
func (n *node) with(e entry) (left, right *node, added bool) {
	if n.kids == nil {
		return n.withRow(e)
	}
	i := n.slot(e.key)
	l, r, added := n.kids[i].with(e)
	kids := make([]kid, len(n.kids), len(n.kids)+1)
	copy(kids, n.kids)
	kids[i] = kid{l.first(), l}
	if r != nil {
		kids = slices.Insert(kids, i+1, kid{r.first(), r})
	}
	if len(kids) <= nodeMax {
		return &node{kids: kids}, nil, added
	}
	h := len(kids) / 2
	return &node{kids: kids[:h:h]}, &node{kids: kids[h:]}, added
}

func (n *node) withRow(e entry) (left, right *node, added bool) {
	i, ok := n.find(e.key)
	if ok {
		rows := slices.Clone(n.rows)
		rows[i] = e
		return &node{rows: rows}, nil, false
	}
	rows := make([]entry, len(n.rows)+1)
	copy(rows, n.rows[:i])
	rows[i] = e
	copy(rows[i+1:], n.rows[i:])
	if len(rows) <= nodeMax {
		return &node{rows: rows}, nil, true
	}
	h := len(rows) / 2
	if i == len(rows)-1 { // ascending keys: keep the left leaf full
		h = i
	}
	return &node{rows: rows[:h:h]}, &node{rows: slices.Clone(rows[h:])}, true
}

// without returns the tree less key, nil when nothing is left; key must be there.
func (n *node) without(key string) *node {
	if n.kids == nil {
		if len(n.rows) == 1 {
			return nil
		}
		i, _ := n.find(key)
		rows := make([]entry, 0, len(n.rows)-1)
		return &node{rows: append(append(rows, n.rows[:i]...), n.rows[i+1:]...)}
	}
	i := n.slot(key)
	k := n.kids[i].without(key)
	kids := slices.Clone(n.kids)
	switch {
	case k != nil:
		kids[i] = kid{k.first(), k}
	case len(kids) == 1:
		return nil
	default:
		kids = slices.Delete(kids, i, i+1)
	}
	if len(kids) == 1 {
		return kids[0].node
	}
	return &node{kids: kids}
}

// each calls yield for every row in key order until it returns false.
func (n *node) each(yield func(*entry) bool) bool {
	if n == nil {
		return true
	}
	for i := range n.rows {
		if !yield(&n.rows[i]) {
			return false
		}
	}
	for i := range n.kids {
		if !n.kids[i].each(yield) {
			return false
		}
	}
	return true
}

// walk is a place in a tree that moves forward leaf by leaf.
type walk struct {
	leaf  *node
	i     int
	stack []place
}

type place struct {
	n *node
	i int
}

func newWalk(n *node) *walk {
	w := &walk{}
	if n != nil {
		w.down(n)
	}
	return w
}

func (w *walk) down(n *node) {
	for n.kids != nil {
		w.stack = append(w.stack, place{n, 0})
		n = n.kids[0].node
	}
	w.leaf, w.i = n, 0
}

// row is the current row, nil at the end.
func (w *walk) row() *entry {
	if w.leaf == nil {
		return nil
	}
	return &w.leaf.rows[w.i]
}

func (w *walk) next() {
	if w.i++; w.i < len(w.leaf.rows) {
		return
	}
	w.skip()
}

// skip leaves the current leaf.
func (w *walk) skip() {
	for len(w.stack) > 0 {
		p := &w.stack[len(w.stack)-1]
		if p.i++; p.i < len(p.n.kids) {
			w.down(p.n.kids[p.i].node)
			return
		}
		w.stack = w.stack[:len(w.stack)-1]
	}
	w.leaf = nil
}
