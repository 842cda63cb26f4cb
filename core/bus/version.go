package bus

import (
	"cmp"
	"slices"
)

// version is an immutable table: one instant of a topic's history.
type version struct {
	root     *node
	n        int
	rev      uint64 // of the newest put or delete in it
	complete bool
	log      []mark // the newest changes, oldest first; versions of one history share its memory
	// was and is are the row of the newest change before and after it; both nil if there is none.
	was, is *entry
}

// mark says which key a revision was about.
type mark struct {
	rev uint64
	key string
}

// The log reaches back at least logKeep changes; beyond it a diff walks the trees.
const (
	logKeep = 32
	logMax  = 96
)

func (v *version) get(key string) *entry { return v.root.get(key) }

// with returns the table after one put (val not nil) or delete (nil, of a row that is there) at the
// end of a way in it, at the next revision. A table has one successor that anybody keeps: a second
// one, after a turn that was discarded, overwrites the log of the first.
func (v *version) with(p *path, val any) *version {
	out := &version{n: v.n, rev: v.rev + 1, complete: v.complete, was: p.found}
	log := v.log
	if len(log) >= logMax {
		log = append(make([]mark, 0, logMax), log[len(log)-logKeep:]...)
	}
	out.log = append(log, mark{out.rev, p.key})
	if val == nil {
		out.root = p.remove()
		out.n--
		return out
	}
	out.is = &entry{p.key, out.rev, val}
	out.root = p.set(out.is)
	if p.found == nil {
		out.n++
	}
	return out
}

// diff yields what differs between two instants of one history, in key order; a nil entry means
// absent.
func diff(was, now *version, yield func(key string, a, b *entry) bool) {
	switch {
	case was == now:
	case was.root == nil:
		now.root.each(func(e *entry) bool { return yield(e.key, nil, e) })
	case was.rev+1 == now.rev && (now.was != nil || now.is != nil):
		yield(cmp.Or(now.is, now.was).key, now.was, now.is)
	case len(now.log) > 0 && now.log[0].rev <= was.rev+1 && was.rev <= now.rev:
		diffLog(was, now, yield)
	default:
		diffTree(was, now, yield)
	}
}

func diffLog(was, now *version, yield func(key string, a, b *entry) bool) {
	i := len(now.log)
	for i > 0 && now.log[i-1].rev > was.rev {
		i--
	}
	recent := now.log[i:]
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
