package trace

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// encoder builds frames in memory that is used again.
type encoder struct {
	b     []byte
	names map[string]uint64
	revs  map[string]uint64        // the last revision written of each topic
	clock map[string]time.Duration // of each device: wall clock less time since boot
}

func (e *encoder) number(n uint64) { e.b = binary.AppendUvarint(e.b, n) }

func (e *encoder) signed(n int64) { e.b = binary.AppendVarint(e.b, n) }

func (e *encoder) flag(on bool, bit uint64) uint64 {
	if on {
		return bit
	}
	return 0
}

// text writes a text, or the number it has got.
func (e *encoder) text(s string) {
	if n := e.names[s]; n > 0 {
		e.number(n)
		return
	}
	e.number(0)
	e.number(uint64(len(s)))
	e.b = append(e.b, s...)
	if len(s) <= maxName && len(e.names) < maxNames {
		e.names[s] = uint64(len(e.names)) + 1
	}
}

// rev writes a revision as its distance to the topic's last.
func (e *encoder) rev(topic string, rev uint64) {
	e.signed(int64(rev - e.revs[topic]))
	e.revs[topic] = rev
}

// value writes JSON; nil is written as absent.
func (e *encoder) value(b json.RawMessage) {
	if b == nil {
		e.number(flagGone)
		return
	}
	e.number(uint64(len(b)) + 1)
	e.b = append(e.b, b...)
}

func (e *encoder) rows(rows []Row) {
	e.number(uint64(len(rows)))
	for i := range rows {
		r := &rows[i]
		e.text(r.Topic)
		e.rev(r.Topic, r.Rev)
		e.text(r.Key)
		e.value(r.Val)
	}
}

func (e *encoder) table(t *Table) {
	e.text(t.Device)
	e.number(t.Boot)
	e.text(t.Topic)
	e.rev(t.Topic, t.Rev)
	e.number(e.flag(t.Complete, 1))
	e.rows(t.Rows)
}

func (e *encoder) turn(t *Turn) {
	e.text(t.Device)
	e.number(t.Boot)
	e.text(t.Agent)
	e.number(t.Start)
	e.number(t.Turn)
	e.signed(int64(t.Now))
	clock := time.Duration(t.Wall.UnixNano()) - t.Now
	e.signed(int64(clock - e.clock[t.Device]))
	e.clock[t.Device] = clock
	e.number(e.flag(t.Full, flagFull))
	e.number(uint64(len(t.Moves)))
	for _, m := range t.Moves {
		e.text(m.Topic)
		e.rev(m.Topic, m.Rev)
		e.number(e.flag(m.Complete, 1))
	}
	e.rows(t.Fed)
	e.number(uint64(len(t.Due)))
	for _, k := range t.Due {
		e.text(k)
	}
	e.number(uint64(len(t.Ends)))
	for i := range t.Ends {
		e.end(&t.Ends[i])
	}
	e.output(t)
}

func (e *encoder) end(x *End) {
	e.text(x.Op)
	e.text(x.Key)
	e.number(uint64(x.Tries))
	e.signed(int64(x.Began))
	e.signed(int64(x.Ended - x.Began))
	if x.Fault == nil {
		e.number(0)
		e.value(x.Res)
		return
	}
	e.number(flagFault | e.flag(x.Fault.Retry, flagRetry))
	e.text(x.Fault.Code)
	e.text(x.Fault.Text)
}

func (e *encoder) output(t *Turn) {
	e.rows(t.Rows)
	e.number(uint64(len(t.Whole)))
	for _, topic := range t.Whole {
		e.text(topic)
	}
	e.number(uint64(len(t.Calls)))
	for _, c := range t.Calls {
		e.b = append(e.b, byte(c.Verb))
		e.text(c.Op)
		e.text(c.Key)
	}
	e.number(uint64(len(t.Wakes)))
	for _, w := range t.Wakes {
		e.text(w.Key)
		e.signed(int64(w.At - t.Now))
	}
	e.b = binary.LittleEndian.AppendUint64(e.b, t.Sum)
}

// encode marshals a row or result; nothing that the bus takes fails.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		b, err = json.Marshal(fmt.Sprintf("not to be had as JSON: %v", err))
		if err != nil {
			panic("trace: encode a text: " + err.Error())
		}
	}
	return b
}
