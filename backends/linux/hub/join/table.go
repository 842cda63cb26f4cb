package join

import (
	"fmt"
	"maps"
	"slices"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// table is a topic as the process knows it. It belongs to the reader of the connection.
type table struct {
	decl *bus.Decl
	head bus.Head
	own  bool
	// aside are rows that are there and cannot be read, with the reason.
	aside map[string]string
	fresh []string // reasons that were not told yet
	// deaf says that what the hub has of it is less than what was seen before: its publisher is not
	// back yet.
	deaf bool
}

// take brings the table to where the hub's is and reports whether anything is to be shown. again
// says that the process knows the table from before this connection.
func (t *table) take(m *wire.Table, again bool) bool {
	if m.Full {
		t.deaf = again && !m.Open
	}
	if t.deaf {
		return false
	}
	head := t.head
	if m.Full {
		head, t.aside = bus.Empty(0), nil
	}
	for i := range m.Rows {
		r := &m.Rows[i]
		if r.JSON == nil {
			delete(t.aside, r.Key)
			head = head.With(r.Key, r.Rev, nil)
			continue
		}
		v, err := t.read(r)
		if err != nil {
			head = head.With(r.Key, r.Rev, nil)
			t.setAside(r.Key, err)
			continue
		}
		delete(t.aside, r.Key)
		head = head.With(r.Key, r.Rev, v)
	}
	t.head = head.At(m.Rev, m.Complete && len(t.aside) == 0)
	return true
}

// read is a row, the one that is known where the revision is known.
func (t *table) read(r *wire.Row) (any, error) {
	if v, rev := t.head.Get(r.Key); v != nil && rev == r.Rev {
		return v, nil
	}
	if r.Version > t.decl.Version {
		return nil, fmt.Errorf("its version is %d, known is %d", r.Version, t.decl.Version)
	}
	return t.decl.Decode(r.JSON)
}

// setAside notes a row that cannot be read. A row of this process's own that no boot outlives is
// dropped: its agent will put it anew.
func (t *table) setAside(key string, err error) {
	what := "a row is set aside"
	if t.own && t.decl.Life != bus.Persistent {
		what = "a row of an earlier program is dropped"
	} else {
		if t.aside == nil {
			t.aside = map[string]string{}
		}
		t.aside[key] = err.Error()
	}
	t.fresh = append(t.fresh, fmt.Sprintf("%s/%s: %s: %v", t.decl, key, what, err))
}

// keys are those that are set aside, in order.
func (t *table) keys() []string { return slices.Sorted(maps.Keys(t.aside)) }

// name tells of rows that were set aside, on the loop.
func (p *process) name(t *table) {
	for _, text := range t.fresh {
		p.line(agent.Err, t.decl.Name, text)
	}
	t.fresh = nil
}

// moved is a table that is to be shown.
type moved struct {
	decl  *bus.Decl
	head  bus.Head
	lines []string
}

// arrive shows a state to the agents, on the loop: rows first, then the ends of calls.
func (p *process) arrive(list []moved, st *wire.State) {
	if st.Skew != p.skew {
		p.setClock(st.Skew)
	}
	for len(list) > 0 {
		owner, rest := list[0].decl.Owner, list[:0:0]
		pt := p.k.Part(owner)
		pt.Do(func() {
			for _, m := range list {
				if m.decl.Owner == owner {
					pt.Show(m.decl, m.head)
				} else {
					rest = append(rest, m)
				}
			}
		})
		for _, m := range list {
			if m.decl.Owner == owner {
				for _, text := range m.lines {
					p.line(agent.Err, m.decl.Name, text)
				}
			}
		}
		list = rest
	}
	for i := range st.Ends {
		p.ended(&st.Ends[i])
	}
	for _, s := range st.Stored {
		if then := p.waiting[s]; then != nil {
			delete(p.waiting, s)
			then()
		}
	}
}
