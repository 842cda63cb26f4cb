package bus

import "iter"

// Cursor is one agent's place in one topic. Hosts advance it between turns only.
type Cursor struct {
	Decl     *Decl
	was, now *version
	path     *path // of the publisher's last look-up
}

// NewCursor makes a place at the given instant of a topic.
func NewCursor(d *Decl, h Head) *Cursor { return &Cursor{Decl: d, was: nothing, now: h.v} }

// Way is memory for look-ups. All publishers of one loop may share one; the zero value is ready.
type Way struct{ path }

// NewWriter makes a publisher's place at the given instant of its topic.
func NewWriter(d *Decl, h Head, way *Way) *Cursor {
	return &Cursor{Decl: d, was: nothing, now: h.v, path: &way.path}
}

var nothing = &version{}

// seek looks a row up before it is written.
func (c *Cursor) seek(key string) *entry {
	if c.path == nil {
		c.path = &path{}
	}
	return c.path.seek(c.now, key)
}

// Value is the publisher's row of a key (a pointer to the topic's row type), nil if there is none.
// A Put of the key that follows does not look it up again.
func (c *Cursor) Value(key string) any {
	if c.path == nil || c.path.at != c.now || c.path.key != key {
		c.seek(key)
	}
	if c.path.found == nil {
		return nil
	}
	return c.path.found.val
}

// Put applies one write of the publisher, a row or nil to delete it, and returns its revision. To
// delete what is not there changes nothing.
func (c *Cursor) Put(key string, val any) uint64 {
	if c.path == nil || c.path.at != c.now || c.path.key != key {
		c.seek(key)
	}
	if val != nil || c.path.found != nil {
		c.now = c.now.with(c.path, val)
	}
	return c.now.rev
}

// SetComplete marks the publisher's table.
func (c *Cursor) SetComplete() {
	v := *c.now
	v.complete = true
	c.now = &v
}

// Head is the instant the cursor stands at.
func (c *Cursor) Head() Head { return Head{c.now} }

// Reset moves the publisher's cursor back to h: a discarded turn.
func (c *Cursor) Reset(h Head) { c.was, c.now = nothing, h.v }

// Advance shows h to a subscriber in its next turn and reports whether anything differs.
func (c *Cursor) Advance(h Head) bool {
	moved := c.now != h.v
	c.was, c.now = c.now, h.v
	return moved
}

// Settle makes the next turn see no change but what Advance brings.
func (c *Cursor) Settle() { c.was = c.now }

// Full makes the next turn see every row as changed.
func (c *Cursor) Full() { c.was = nothing }

// Shelf is the host's table of one topic: what subscribers may be shown.
type Shelf struct {
	Decl *Decl
	head *version
}

// NewShelf makes an empty table whose revisions start above base, which a host derives from the
// count of boots so that they grow over reboots.
func NewShelf(d *Decl, base uint64) *Shelf { return &Shelf{d, Empty(base).v} }

// ShelfAt makes a table that shows h.
func ShelfAt(d *Decl, h Head) Shelf { return Shelf{d, h.v} }

// Empty is a table without rows whose revisions start above base. Any number of topics may begin
// with the same one.
func Empty(base uint64) Head { return Head{&version{rev: base}} }

// Load puts a row that was stored earlier, at the revision it had.
func (s *Shelf) Load(key string, rev uint64, val any) {
	before := *s.head
	before.rev = rev - 1
	var p path
	p.seek(&before, key)
	v := *before.with(&p, val)
	v.rev = max(s.head.rev, rev)
	if v.past != nil {
		v.past = &past{}
	}
	s.head = &v
}

// Show makes a publisher's table the visible one.
func (s *Shelf) Show(h Head) { s.head = h.v }

// Head is a handle to the visible table.
func (s *Shelf) Head() Head { return Head{s.head} }

// Head is an immutable table, held for one pointer: late delivery, snapshots, the recorder.
type Head struct{ v *version }

// Rev is the revision of the newest change in it.
func (h Head) Rev() uint64 { return h.v.rev }

// Len is the number of rows.
func (h Head) Len() int { return int(h.v.n) }

// Complete reports whether its publisher called it whole.
func (h Head) Complete() bool { return h.v.complete }

// Same reports whether two handles name the same instant.
func (h Head) Same(o Head) bool { return h.v == o.v }

// Get returns a row (a pointer to the topic's row type) and its revision, or nil.
func (h Head) Get(key string) (any, uint64) {
	if e := h.v.get(key); e != nil {
		return e.val, e.rev
	}
	return nil, 0
}

// With is the table behind a put (val, a pointer to the topic's row type) or a delete (nil) of a
// given revision: for those who make a table of what was recorded of one.
func (h Head) With(key string, rev uint64, val any) Head {
	before := *h.v
	before.rev = rev - 1
	var p path
	if p.seek(&before, key); val == nil && p.found == nil {
		return h.At(rev, h.v.complete)
	}
	v := *before.with(&p, val)
	if v.past != nil {
		v.past = &past{}
	}
	return Head{&v}
}

// At is the table at another revision, or declared whole.
func (h Head) At(rev uint64, complete bool) Head {
	v := *h.v
	v.rev, v.complete = rev, complete
	return Head{&v}
}

// All yields key and row in key order.
func (h Head) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		h.v.root.each(func(e *entry) bool { return yield(e.key, e.val) })
	}
}

// Since yields key and row (nil when removed) of all that differs from an earlier instant.
func (h Head) Since(was Head) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		w := was.v
		if w == nil {
			w = nothing
		}
		diff(w, h.v, func(key string, _, b *entry) bool {
			if b == nil {
				return yield(key, nil)
			}
			return yield(key, b.val)
		})
	}
}
