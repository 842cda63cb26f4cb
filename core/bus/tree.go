package bus

// entry is a row in a table; val holds a *V. It is shared by all versions that have it.
type entry struct {
	key string
	rev uint64
	val any
}

// node is an immutable part of a sorted tree: a leaf holds rows, an inner node holds kids.
type node struct {
	keys []string // of the rows, or the first key of each kid; nodes with the same keys share it
	rows []*entry
	kids []*node
}

// nodeMax bounds rows of a leaf and kids of an inner node. A put copies the pointers of one node of
// each level, so the cost of a put grows with the logarithm of the table.
const nodeMax = 32

// slot is the index of the kid whose range holds key.
func (n *node) slot(key string) int {
	lo, hi := 0, len(n.keys)
	for hi-lo > 1 {
		if m := int(uint(lo+hi) / 2); n.keys[m] <= key {
			lo = m
		} else {
			hi = m
		}
	}
	return lo
}

// find is the index of key in a leaf, or where it belongs.
func (n *node) find(key string) (int, bool) {
	lo, hi := 0, len(n.keys)
	for lo < hi {
		if m := int(uint(lo+hi) / 2); n.keys[m] < key {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo, lo < len(n.keys) && n.keys[lo] == key
}

func (n *node) get(key string) *entry {
	if n == nil {
		return nil
	}
	for n.kids != nil {
		n = n.kids[n.slot(key)]
	}
	if i, ok := n.find(key); ok {
		return n.rows[i]
	}
	return nil
}

// each calls yield for every row in key order until it returns false.
func (n *node) each(yield func(*entry) bool) bool {
	if n == nil {
		return true
	}
	for _, e := range n.rows {
		if !yield(e) {
			return false
		}
	}
	for _, k := range n.kids {
		if !k.each(yield) {
			return false
		}
	}
	return true
}

// from is each for the rows from key on.
func (n *node) from(key string, yield func(*entry) bool) bool {
	if n == nil {
		return true
	}
	if n.kids == nil {
		i, _ := n.find(key)
		for _, e := range n.rows[i:] {
			if !yield(e) {
				return false
			}
		}
		return true
	}
	i := n.slot(key)
	if !n.kids[i].from(key, yield) {
		return false
	}
	for _, k := range n.kids[i+1:] {
		if !k.each(yield) {
			return false
		}
	}
	return true
}

// walk is a place in a tree that moves forward row by row or leaf by leaf.
type walk struct {
	leaf  *node
	i     int
	stack []place
}

// place is a kid of a node, or a row of a leaf.
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
		n = n.kids[0]
	}
	w.leaf, w.i = n, 0
}

// row is the current row, nil at the end.
func (w *walk) row() *entry {
	if w.leaf == nil {
		return nil
	}
	return w.leaf.rows[w.i]
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
			w.down(p.n.kids[p.i])
			return
		}
		w.stack = w.stack[:len(w.stack)-1]
	}
	w.leaf = nil
}
