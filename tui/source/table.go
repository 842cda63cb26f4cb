package source

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/bus"
)

// Table is a topic as far as it is known.
type Table struct {
	Name    string // "owner/Name"
	Rows    []*Row // by key
	Changes int    // puts and deletes since the snapshot
	At      time.Time
}

// Row is a row with its history of one step.
type Row struct {
	Key string
	Rev uint64
	// Val is a pointer to the topic's row type or json.RawMessage.
	Val any
	// Was is the value before, nil for a row that is new or was in the snapshot.
	Was any
	// At is the local time of the newest change, zero for a row of the snapshot.
	At     time.Time
	faults []Fault
	looked bool
}

// JSON is the row's value as JSON.
func (r *Row) JSON() []byte { return encode(r.Val) }

// Before is the value before the newest change as JSON, nil without one.
func (r *Row) Before() []byte {
	if r.Was == nil {
		return nil
	}
	return encode(r.Was)
}

func encode(v any) []byte {
	if raw, ok := v.(json.RawMessage); ok {
		return raw
	}
	b, err := json.Marshal(v)
	if err != nil {
		b, _ = json.Marshal(map[string]string{"unreadable": err.Error()}) // a map of strings encodes
	}
	return b
}

// Table finds a topic by name, nil if there is none.
func (s *State) Table(name string) *Table {
	if i, ok := s.table(name); ok {
		return s.Tables[i]
	}
	return nil
}

func (s *State) table(name string) (int, bool) {
	return slices.BinarySearchFunc(s.Tables, name, func(t *Table, name string) int {
		return strings.Compare(t.Name, name)
	})
}

// Row finds a row by key, nil if there is none.
func (t *Table) Row(key string) *Row {
	if t == nil {
		return nil
	}
	if i, ok := t.find(key); ok {
		return t.Rows[i]
	}
	return nil
}

func (t *Table) find(key string) (int, bool) {
	return slices.BinarySearchFunc(t.Rows, key, func(r *Row, key string) int {
		return strings.Compare(r.Key, key)
	})
}

// row applies one change.
func (s *State) row(c *Change, at time.Time, snapshot bool) {
	ti, ok := s.table(c.Topic)
	if !ok {
		s.Tables = slices.Insert(s.Tables, ti, &Table{Name: c.Topic})
	}
	t := s.Tables[ti]
	if snapshot {
		at = time.Time{}
	} else {
		s.Changes++
		t.Changes++
		t.At = at
	}
	i, found := t.find(c.Key)
	switch {
	case c.Val == nil && found:
		t.Rows = slices.Delete(t.Rows, i, i+1)
		delete(s.meters, meterName(c))
	case c.Val == nil:
	case found:
		r := t.Rows[i]
		*r = Row{Key: r.Key, Rev: c.Rev, Val: c.Val, Was: r.Val, At: at}
	default:
		t.Rows = slices.Insert(t.Rows, i, &Row{Key: c.Key, Rev: c.Rev, Val: c.Val, At: at})
	}
	s.measure(c, at)
}

// Get is a row of a topic, nil if there is none or if its type is not known here.
func Get[V bus.Row](s *State, t bus.Topic[V], key string) *V {
	if r := s.Table(t.String()).Row(key); r != nil {
		v, _ := r.Val.(*V)
		return v
	}
	return nil
}

// All are the rows of a topic by key.
func All[V bus.Row](s *State, t bus.Topic[V]) []*V {
	table := s.Table(t.String())
	if table == nil {
		return nil
	}
	var out []*V
	for _, r := range table.Rows {
		if v, ok := r.Val.(*V); ok {
			out = append(out, v)
		}
	}
	return out
}
