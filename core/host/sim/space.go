package sim

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// roomEvery is how often a journal without room tries again, as that of the live host does.
const roomEvery = time.Second

// recordHead is about what the journal's file takes for a record beside its rows, and rowHead for a
// row beside its key and value.
const (
	recordHead = 48
	rowHead    = 64
)

// size is about what a record takes on the disk.
func size(r *host.Record) int64 {
	n := int64(recordHead)
	for i := range r.Rows {
		n += rowHead + int64(len(r.Rows[i].Topic)+len(r.Rows[i].Key)+len(r.Rows[i].Val))
	}
	return n
}

// wait is a record that found no room on the disk: nothing of it is there, and nobody is told.
type wait struct {
	rec  *host.Record
	then func()
}

// fits reports whether the disk has room for a record. What the journal holds is written anew as it
// grows and counts for nothing.
func (b *boot) fits(r *host.Record) bool {
	return b.d.o.Room == nil || size(r) <= b.d.o.Room()
}

// Durable writes a record to the simulated journal, behind those that wait for room.
func (b *boot) Durable(r *host.Record, then func()) {
	if len(b.waits) == 0 && b.fits(r) {
		b.store(r, then)
		return
	}
	b.waits = append(b.waits, wait{r, then})
	if len(b.waits) == 1 {
		b.say(agent.Err, "there is no room for the journal; agents that keep rows wait until there is")
		b.After(roomEvery, b.again)
	}
}

// again writes what has waited for room, in order, as far as there is room now.
func (b *boot) again() {
	for len(b.waits) > 0 {
		w := b.waits[0]
		if !b.fits(w.rec) {
			b.After(roomEvery, b.again)
			return
		}
		b.waits = b.waits[1:]
		b.store(w.rec, w.then)
	}
	b.say(agent.Warn, "there is room again, nothing was lost")
}

// say is a line of the host about the journal.
func (b *boot) say(l agent.Level, text string) {
	if b.d.o.OnLine != nil {
		b.d.o.OnLine("host", b.Now(), agent.Line{Level: l, About: "journal", Text: text})
	}
}
