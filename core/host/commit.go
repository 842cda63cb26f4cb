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
}

// commit makes a turn's effects real: durable, visible, started.
func (k *Kernel) commit(p *Proc, in *Input) {
	out := &p.out
	k.sumTurn(p)
	k.ring.add(p, out)
	if in != nil {
		k.o.OnTurn(p, in, out)
	}
	if k.o.OnLine != nil {
		for _, l := range out.Lines {
			k.o.OnLine(p.Name, p.turn.Now, l)
		}
	}
	p.spend()
	rec := k.record(p)
	if rec == nil {
		k.publish(p, true)
		return
	}
	p.busy = true
	start := p.start
	k.drv.Durable(rec, func() {
		if k.dead {
			return
		}
		p.busy = false
		k.publish(p, p.start == start)
		if p.ready {
			k.drv.Ready(p)
		}
	})
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
		s := Stored{Topic: r.Topic.String(), Key: r.Key, Rev: r.Rev}
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

// publish shows the rows of a durable turn and starts its calls.
func (k *Kernel) publish(p *Proc, alive bool) {
	n := 0
	for _, b := range p.pubs {
		if b.dirty && b.shelf.Decl.Life != bus.Local {
			n++
		}
	}
	var batch *Batch
	if n > 0 {
		batch = &Batch{Turn: p.Source.Turn, moves: make([]Move, 0, n)}
	}
	for _, b := range p.pubs {
		if !b.dirty {
			continue
		}
		b.dirty = false
		k.tooMany(b)
		b.shelf.Show(b.Head())
		if b.shelf.Decl.Life != bus.Local {
			batch.moves = append(batch.moves, Move{b.shelf, b.Head()})
		}
	}
	if batch != nil {
		k.spread(&p.Source, batch)
	}
	if alive {
		for i := range p.out.Calls {
			k.carry(&p.out.Calls[i])
		}
		k.setAlarm(p)
	}
	p.out.reset()
}

// tooMany refuses a table beyond its limit.
func (k *Kernel) tooMany(b *pub) {
	if n := b.Head().Len(); n > b.shelf.Decl.MaxRows {
		panic(fmt.Sprintf("host: %s has %d rows, its limit is %d", b.shelf.Decl, n,
			b.shelf.Decl.MaxRows))
	}
}
