package bus

import (
	"cmp"
	"slices"
)

// version is an immutable table: one instant of a topic's history. Most tables of a device have few
// rows and are one leaf; what tells versions apart without a look at the rows is kept for the
// others.
type version struct {
	root     *node
	rev      uint64 // of the newest put or delete in it
	n        int32
	complete bool
	past     *past // nil while the table is one leaf
}

// past is what a table of several leaves knows of its newest changes.
type past struct {
	log []mark // oldest first; versions of one history share its memory
	// was and is are the row of the newest change before and after it.
	was, is *entry
}

// tall is a version and its past in one piece of memory.
type tall struct {
	version
	past
}

// mark says which key a revision was about.
type mark struct {
	rev uint64
	key string
}

// The log reaches back at least logKeep changes, or to when the table became more than one leaf;
// beyond it a diff walks the trees.
const (
	logKeep = 32
	logMax  = 96
)

func (v *version) get(key string) *entry { return v.root.get(key) }

// with returns the table after one put (val not nil) or delete (nil, of a row that is there) at the
// end of a way in it, at the next revision. A table has one successor that anybody keeps: a second
// one, after a turn that was discarded, overwrites the log of the first.
func (v *version) with(p *path, val any) *version {
	next := version{n: v.n, rev: v.rev + 1, complete: v.complete}
	var is *entry
	if val == nil {
		next.root = p.remove()
		next.n--
	} else {
		is = &entry{p.key, next.rev, val}
		next.root = p.set(is)
		if p.found == nil {
			next.n++
		}
	}
	if next.root == nil || next.root.kids == nil {
		out := next
		return &out
	}
	out := &tall{next, past{was: p.found, is: is}}
	out.version.past = &out.past
	if v.past != nil {
		out.log = v.past.log
	}
	if len(out.log) >= logMax {
		out.log = append(make([]mark, 0, logMax), out.log[len(out.log)-logKeep:]...)
	}
	out.log = append(out.log, mark{next.rev, p.key})
	return &out.version
}

// diff yields what differs between two instants of one history, in key order; a nil entry means
// absent.
func diff(was, now *version, yield func(key string, a, b *entry) bool) {
	switch {
	case was == now:
	case was.root == nil:
		now.root.each(func(e *entry) bool { return yield(e.key, nil, e) })
	case now.past == nil:
		diffTree(was, now, yield)
	case was.rev+1 == now.rev && (now.past.was != nil || now.past.is != nil):
		yield(cmp.Or(now.past.is, now.past.was).key, now.past.was, now.past.is)
	case len(now.past.log) > 0 && now.past.log[0].rev <= was.rev+1 && was.rev <= now.rev:
		diffLog(was, now, yield)
	default:
		diffTree(was, now, yield)
	}
}

func diffLog(was, now *version, yield func(key string, a, b *entry) bool) {
	log := now.past.log
	i := len(log)
	for i > 0 && log[i-1].rev > was.rev {
		i--
	}
	recent := log[i:]
	var few [16]string
	keys := few[:0]
	for _, m := range recent {
		keys = append(keys, m.key)
	}
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		a, b := was.get(k), now.get(k)
		if a == nil && b == nil {
			continue
		}
		if !yield(k, a, b) {
			return
		}
	}
}

// diffTree walks both trees in step and skips the leaves they share.
func diffTree(was, now *version, yield func(key string, a, b *entry) bool) {
	a, b := newWalk(was.root), newWalk(now.root)
	for a.leaf != nil || b.leaf != nil {
		if a.leaf == b.leaf && a.i == b.i {
			a.skip()
			b.skip()
			continue
		}
		x, y := a.row(), b.row()
		switch {
		case y == nil || x != nil && x.key < y.key:
			a.next()
			if !yield(x.key, x, nil) {
				return
			}
		case x == nil || y.key < x.key:
			b.next()
			if !yield(y.key, nil, y) {
				return
			}
		default:
			a.next()
			b.next()
			if x.rev != y.rev && !yield(y.key, x, y) {
				return
			}
		}
	}
}
