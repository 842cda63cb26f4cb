package hub

import (
	"bytes"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// Row is a row as the hub keeps it; it must not be changed.
type Row struct {
	// JSON is the row as its publisher encoded it.
	JSON []byte
	Rev  uint64
	// Version is that of the row's encoding.
	Version int
}

// table is a topic: what subscribers may be shown.
type table struct {
	name string // "owner/Name"
	life bus.Life
	// declared says that life is known: of a table that only a subscriber has named it is not.
	declared bool
	head     bus.Head
	// open says that its publisher was there since the hub began, restarts how often it has declared
	// the table complete, told whether the present publisher has.
	open     bool
	restarts int
	told     bool
	maxRows  int
	subs     []subscription

	part  *bus.Decl // of a part's topic
	shown bus.Head  // of the part's topic: what head was made of
}

// subscription is one who is told of a table.
type subscription struct {
	s     *session
	topic int
}

// table finds or makes the table of a name; mu is held.
func (h *Hub) table(name string) *table {
	t := h.tables[name]
	if t == nil {
		t = &table{name: name, head: bus.Empty(h.boot.count << 32)}
		h.tables[name] = t
	}
	return t
}

// load begins a boot with the stored rows; mu is held.
func (h *Hub) load(k *host.Kernel) {
	h.tables = map[string]*table{}
	for _, d := range k.Topics() {
		if d.Owner != pokes {
			t := h.table(d.String())
			t.part, t.life, t.declared, t.maxRows = d, d.Life, true, d.MaxRows
		}
	}
	for _, r := range h.stored {
		t := h.table(r.Topic)
		if t.part != nil {
			continue // the kernel has them
		}
		t.life, t.declared = bus.Persistent, true
		t.head = t.head.With(r.Key, r.Rev, &Row{JSON: r.Val, Rev: r.Rev, Version: r.Version})
		t.head = t.head.At(max(r.Rev, h.boot.count<<32), false)
	}
	h.stored = nil
}

// change is what becomes of a row: nil deletes it.
type change struct {
	key string
	rev uint64
	row *Row
}

// changes are the differences that a table from its publisher makes; mu is held. What was said
// before and is said again makes none, and what is older than what is known neither.
func (t *table) changes(m *wire.Table) []change {
	if m.Rev < t.head.Rev() && !m.Full {
		return nil
	}
	out := make([]change, 0, len(m.Rows))
	for i := range m.Rows {
		r := &m.Rows[i]
		old := t.row(r.Key)
		switch {
		case r.JSON == nil && old != nil:
			out = append(out, change{key: r.Key, rev: r.Rev})
		case r.JSON != nil && (old == nil || old.Rev != r.Rev || !bytes.Equal(old.JSON, r.JSON)):
			out = append(out, change{r.Key, r.Rev,
				&Row{JSON: bytes.Clone(r.JSON), Rev: r.Rev, Version: r.Version}})
		}
	}
	if m.Full {
		out = append(out, t.gone(m)...)
	}
	return out
}

// gone are the rows that a full table has not.
func (t *table) gone(m *wire.Table) []change {
	stay := make(map[string]bool, len(m.Rows)+len(m.Aside))
	for i := range m.Rows {
		stay[m.Rows[i].Key] = true
	}
	for _, key := range m.Aside {
		stay[key] = true
	}
	var out []change
	for key := range t.head.All() {
		if !stay[key] {
			out = append(out, change{key: key, rev: m.Rev})
		}
	}
	return out
}

func (t *table) row(key string) *Row {
	if v, _ := t.head.Get(key); v != nil {
		return v.(*Row)
	}
	return nil
}

// lenBehind is how many rows the table has behind changes.
func (t *table) lenBehind(list []change) int {
	n := t.head.Len()
	for _, c := range list {
		switch had := t.row(c.key) != nil; {
		case had && c.row == nil:
			n--
		case !had && c.row != nil:
			n++
		}
	}
	return n
}

// show makes changes visible, and says which revision the table is then at; mu is held.
func (h *Hub) show(t *table, list []change, rev uint64, complete bool) {
	h.moved += len(list)
	head := t.head
	for _, c := range list {
		if c.row == nil {
			head = head.With(c.key, c.rev, nil)
		} else {
			head = head.With(c.key, c.rev, c.row)
		}
	}
	t.head = head.At(rev, complete)
	if complete && !t.told {
		t.told = true
		t.restarts++
	}
	for _, sub := range t.subs {
		sub.s.mark(sub.topic)
	}
	for w := range h.watches {
		w.ring()
	}
}

// ownerOf is the publisher's name in that of a topic.
func ownerOf(topic string) string {
	owner, _, _ := strings.Cut(topic, "/")
	return owner
}
