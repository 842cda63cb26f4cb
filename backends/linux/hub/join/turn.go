package join

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// onTurn says what a turn did, before it is visible here. It runs on the loop.
func (p *process) onTurn(proc *host.Proc, in *host.Input, out *host.Output) {
	if len(out.Rows) > 0 || len(out.Whole) > 0 {
		t := wire.Turn{Agent: p.number(proc.Name), Number: in.Turn}
		for i := range p.pubs {
			if m, moved := p.move(i, out); moved {
				t.Tables = append(t.Tables, m)
				t.Durable = t.Durable || p.pubs[i].decl.Life == bus.Persistent && len(m.Rows) > 0
			}
		}
		if len(t.Tables) > 0 {
			p.out.add(func(b []byte) []byte { return wire.AppendTurn(b, &t) })
		}
	}
	p.health(proc)
	if p.o.OnTurn != nil {
		p.o.OnTurn(proc, in, out)
	}
}

// move is what a turn did to a topic.
func (p *process) move(i int, out *host.Output) (m wire.Table, moved bool) {
	d := p.pubs[i].decl
	h, _ := p.k.Head(d)
	m = wire.Table{Topic: i, Rev: h.Rev(), Complete: h.Complete()}
	if slices.Contains(out.Whole, d) {
		m.Complete, moved = true, true
	}
	var at map[string]int // of keys that are put more than once, the last counts
	for j := range out.Rows {
		r := &out.Rows[j]
		if r.Topic != d {
			continue
		}
		moved, m.Rev = true, r.Rev
		row := wire.Row{Key: r.Key, Rev: r.Rev, Version: d.Version, JSON: encode(d, r.Key, r.Val)}
		if at == nil {
			at = map[string]int{}
		}
		if k, again := at[r.Key]; again {
			m.Rows[k] = row
			continue
		}
		at[r.Key] = len(m.Rows)
		m.Rows = append(m.Rows, row)
	}
	return m, moved
}

// encode is a row as JSON, nil where there is none.
func encode(d *bus.Decl, key string, v any) []byte {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("join: encode row %s of %s: %v", key, d, err))
	}
	return b
}

// tell says all that the process publishes and wants. It runs on the loop.
func (p *process) tell() {
	clear(p.told)
	all := wire.Tables{}
	for _, e := range p.o.Agents {
		all.Turns = append(all.Turns, p.k.Proc(e.Name).Turn)
	}
	for _, proc := range p.k.Procs() {
		for _, m := range proc.Life().Own {
			i := slices.IndexFunc(p.pubs, func(t *table) bool { return t.decl == m.Topic() })
			if i < 0 {
				continue
			}
			t := wire.Table{Topic: i, Rev: m.Head.Rev(), Complete: m.Head.Complete(), Full: true}
			for key, v := range m.Head.All() {
				_, rev := m.Head.Get(key)
				t.Rows = append(t.Rows, wire.Row{Key: key, Rev: rev, Version: m.Topic().Version,
					JSON: encode(m.Topic(), key, v)})
			}
			for _, key := range p.pubs[i].keys() {
				if v, _ := m.Head.Get(key); v == nil {
					t.Aside = append(t.Aside, key)
				}
			}
			all.Tables = append(all.Tables, t)
		}
	}
	for s := range p.waiting {
		all.Stored = append(all.Stored, s)
	}
	for id := range p.calls {
		all.Calls = append(all.Calls, id)
	}
	slices.Sort(all.Calls)
	p.out.begin(func(b []byte) []byte {
		b = wire.AppendTables(b, &all)
		for _, id := range all.Calls {
			b = wire.AppendCall(b, &p.calls[id].Call)
		}
		return b
	})
}
