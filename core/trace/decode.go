package trace

import (
	"encoding/binary"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

func (d *decoder) turn() *Turn {
	t := &Turn{Device: d.text(), Boot: d.number(), Agent: d.text(), Start: d.number(),
		Turn: d.number(), Now: time.Duration(d.signed())}
	d.clock[t.Device] += time.Duration(d.signed())
	t.Wall = time.Unix(0, int64(d.clock[t.Device]+t.Now)).UTC()
	t.Full = d.number()&flagFull != 0
	for range d.count() {
		topic := d.text()
		rev := d.rev(topic)
		t.Moves = append(t.Moves, Move{topic, rev, d.number() != 0})
	}
	t.Fed = d.rows()
	for range d.count() {
		t.Due = append(t.Due, d.text())
	}
	for range d.count() {
		t.Ends = append(t.Ends, d.end())
	}
	d.output(t)
	return t
}

func (d *decoder) end() End {
	e := End{Op: d.text(), Key: d.text(), Tries: int(d.number()), Began: time.Duration(d.signed())}
	e.Ended = e.Began + time.Duration(d.signed())
	flags := d.number()
	if flags&flagFault == 0 {
		e.Res = d.value()
		return e
	}
	e.Fault = &agent.Fault{Code: d.text(), Text: d.text(), Retry: flags&flagRetry != 0}
	return e
}

func (d *decoder) output(t *Turn) {
	t.Rows = d.rows()
	for range d.count() {
		t.Whole = append(t.Whole, d.text())
	}
	for range d.count() {
		verb := d.bytes(1)
		if verb == nil {
			return
		}
		t.Calls = append(t.Calls, Call{host.Verb(verb[0]), d.text(), d.text()})
	}
	for range d.count() {
		t.Wakes = append(t.Wakes, Wake{d.text(), t.Now + time.Duration(d.signed())})
	}
	if b := d.bytes(8); b != nil {
		t.Sum = binary.LittleEndian.Uint64(b)
	}
}
