package host

import (
	"encoding/json"
	"fmt"

	"github.com/evetwin/evetwin/core/bus"
)

// Record is what one turn wants durable, as a unit.
type Record struct {
	Agent string
	Turn  uint64
	Rows  []Stored
}

// Stored is a persistent row as it is kept: Val is its JSON, nil when it was deleted.
type Stored struct {
	Topic string          `json:"t"` // "owner/Name"
	Key   string          `json:"k"`
	Rev   uint64          `json:"r"`
	Val   json.RawMessage `json:"v,omitempty"`
	// Version is that of the row's encoding, bus.Decl.Version.
	Version int `json:"n,omitempty"`
}

// load takes a stored row into its table. One that cannot be read, or was written by a newer
// version of the program, is set aside: it stays stored until it is put anew, and the table is not
// complete.
func (k *Kernel) load(s *shelf, r Stored) {
	v, err := s.Decl.Decode(r.Val)
	if err == nil && r.Version > s.Decl.Version {
		err = fmt.Errorf("read row of %s: its version is %d, known is %d", s.Decl, r.Version,
			s.Decl.Version)
	}
	if err == nil {
		s.Load(r.Key, r.Rev, v)
		return
	}
	if s.aside == nil {
		s.aside = map[string]bool{}
	}
	s.aside[r.Key] = true
	k.say(s.Decl.Owner, r.Key, "a stored row is set aside: "+err.Error())
}

// record collects the persistent rows of a turn, nil if it has none.
func (k *Kernel) record(p *Proc) *Record {
	var rec *Record
	for i := range p.out.Rows {
		r := &p.out.Rows[i]
		if r.Topic.Life != bus.Persistent {
			continue
		}
		if rec == nil {
			rec = &Record{Agent: p.Name, Turn: p.Source.Turn}
			k.wear(p)
		}
		s := Stored{Topic: r.Topic.String(), Key: r.Key, Rev: r.Rev, Version: r.Topic.Version}
		if r.Val != nil {
			b, err := json.Marshal(r.Val)
			if err != nil {
				panic(fmt.Sprintf("host: encode row %s of %s: %v", r.Key, r.Topic, err))
			}
			s.Val = b
		}
		rec.Rows = append(rec.Rows, s)
	}
	return rec
}
