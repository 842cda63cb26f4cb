package bus

import (
	"iter"
	"strings"
	"unsafe"
)

// Table is what Sub and Pub share: reading, always in key order.
type Table[V Row] struct{ c *Cursor }

// Get returns the row or nil. The row must not be changed.
func (t Table[V]) Get(key string) *V {
	if e := t.c.now.get(key); e != nil {
		return e.val.(*V)
	}
	return nil
}

// Rev returns the revision of a row, 0 if absent: what a Status row names to say which Config row
// it answers.
func (t Table[V]) Rev(key string) uint64 {
	if e := t.c.now.get(key); e != nil {
		return e.rev
	}
	return 0
}

// Len returns the number of rows.
func (t Table[V]) Len() int { return int(t.c.now.n) }

// All yields every row. Puts and deletes made meanwhile do not show.
func (t Table[V]) All() iter.Seq2[string, *V] {
	root := t.c.now.root
	return func(yield func(string, *V) bool) {
		root.each(func(e *entry) bool { return yield(e.key, e.val.(*V)) })
	}
}

// Prefixed yields the rows whose key begins with prefix, in time that their number decides and not
// the size of the table. Puts and deletes made meanwhile do not show.
func (t Table[V]) Prefixed(prefix string) iter.Seq2[string, *V] {
	root := t.c.now.root
	return func(yield func(string, *V) bool) {
		root.from(prefix, func(e *entry) bool {
			return strings.HasPrefix(e.key, prefix) && yield(e.key, e.val.(*V))
		})
	}
}

// Topic is the declaration of the table.
func (t Table[V]) Topic() *Decl { return t.c.Decl }

// Delta is a row before and after; nil means absent.
type Delta[V any] struct{ Old, New *V }

// Sub is a subscriber's view of a topic; it does not move during a turn.
type Sub[V Row] struct{ Table[V] }

// Changed yields the rows that differ from this agent's previous turn, removed ones with New nil;
// in a full turn (the first one, and at random in virtual time) it yields every row with Old nil.
func (s *Sub[V]) Changed() iter.Seq2[string, Delta[V]] {
	was, now := s.c.was, s.c.now
	return func(yield func(string, Delta[V]) bool) {
		diff(was, now, func(key string, a, b *entry) bool {
			var d Delta[V]
			if a != nil {
				d.Old = a.val.(*V)
			}
			if b != nil {
				d.New = b.val.(*V)
			}
			return yield(key, d)
		})
	}
}

// Moved reports whether anything differs from this agent's previous turn.
func (s *Sub[V]) Moved() bool { return s.c.was != s.c.now }

// Complete reports whether the publisher has declared, since boot, that its table is the whole
// truth. Until then a missing row means nothing.
func (s *Sub[V]) Complete() bool { return s.c.now.complete }

// Gone reports that key is absent from a complete table: the only ground for destroying.
func (s *Sub[V]) Gone(key string) bool { return s.c.now.complete && s.c.now.get(key) == nil }

// Pub is the publisher's own table; it reads its own writes at once.
type Pub[V Row] struct {
	Table[V]
	out Outlet
}

// Put publishes v unless the row equals it already.
func (p *Pub[V]) Put(v V) {
	k := v.Key()
	if e := p.c.seek(k); e != nil {
		if p.c.Decl.shape.eq(unsafe.Pointer(e.val.(*V)), onStack(unsafe.Pointer(&v))) {
			return
		}
	}
	row := new(V)
	*row = v
	p.out.Write(p.c, k, row)
}

// Delete withdraws a row; absent is fine.
func (p *Pub[V]) Delete(key string) {
	if p.c.seek(key) != nil {
		p.out.Write(p.c, key, nil)
	}
}

// Keep withdraws every row whose key is not wanted: the sweep that ends a recompute.
func (p *Pub[V]) Keep(wanted func(key string) bool) {
	for k := range p.All() {
		if !wanted(k) {
			p.Delete(k)
		}
	}
}

// Complete declares the table whole; it stays so until reboot.
func (p *Pub[V]) Complete() {
	if !p.c.now.complete {
		p.out.Complete(p.c)
	}
}

// IsComplete reports whether Complete was called since boot.
func (p *Pub[V]) IsComplete() bool { return p.c.now.complete }
