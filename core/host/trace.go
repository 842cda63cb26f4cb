package host

import (
	"fmt"

	"github.com/evetwin/evetwin/core/bus"
)

// sumTurn folds a turn into the checksum of its agent, and holds its rows against their limits.
func (k *Kernel) sumTurn(p *Proc) {
	s := &p.sum
	s.Word(uint64(p.turn.Now))
	s.Word(p.Source.Turn)
	k.sumRows(s, &p.Source, p.out.Rows, p.out.Whole)
	for i := range p.out.Calls {
		o := &p.out.Calls[i]
		s.Word(o.t.op.name)
		s.Word(uint64(o.Verb))
		s.String(o.Key)
		if o.Req != nil {
			o.t.op.decl.AddReq(s, o.Req)
		}
	}
	for i := range p.out.Wakes {
		s.String(p.out.Wakes[i].Key)
		s.Word(uint64(p.out.Wakes[i].At))
	}
}

// sumPart folds a batch of a part, and the outcome it carries.
func (k *Kernel) sumPart(pt *Part, end *run) {
	s := &pt.sum
	s.Word(uint64(k.drv.Now()))
	s.Word(pt.Source.Turn)
	k.sumRows(s, &pt.Source, pt.rows, pt.whole)
	if end == nil {
		return
	}
	s.Word(end.t.op.name)
	s.String(end.p.Name)
	s.String(end.key)
	if end.fault != nil {
		s.String(end.fault.Code)
		s.String(end.fault.Text)
	} else {
		end.t.op.decl.AddRes(s, end.res)
	}
}

func (k *Kernel) sumRows(s *bus.Sum, src *Source, rows []Change, whole []*bus.Decl) {
	for i := range rows {
		r := &rows[i]
		s.Word(r.Topic.Sum())
		s.String(r.Key)
		if r.Val == nil {
			s.Word(0)
			continue
		}
		n := s.Size
		r.Topic.AddTo(s, r.Val)
		if n = s.Size - n; n > r.Topic.MaxBytes {
			text := fmt.Sprintf("host: row %s of %s has %d bytes, its limit is %d", r.Key, r.Topic, n,
				r.Topic.MaxBytes)
			if k.Proc(src.Name) != nil {
				panic(text)
			}
			k.beyond(r.shelf, text)
		}
		k.beat(src, r)
	}
	for _, d := range whole {
		s.Word(d.Sum())
	}
}

// Sums adds every publisher's checksum to out, under its name.
func (k *Kernel) Sums(add func(name string, sum uint64)) {
	for _, p := range k.procs {
		add(p.Name, p.Sum())
	}
	for _, pt := range k.parts {
		add(pt.Name, pt.Sum())
	}
}
