package sim

import "github.com/evetwin/evetwin/core/host"

// Tape holds what the agents of a world did. Worlds of the same seed under the same faults play it
// up to any instant that lies before the end of the recorded one. It is for one goroutine.
type Tape struct{ boots map[bootID]*host.Tape }

type bootID struct {
	device string
	boot   uint64
}

// of is the tape of the boot of a device that begins, nil without a tape.
func (t *Tape) of(d *Device) *host.Tape {
	if t == nil {
		return nil
	}
	if t.boots == nil {
		t.boots = map[bootID]*host.Tape{}
	}
	id := bootID{d.o.Name, d.boots}
	if t.boots[id] == nil {
		t.boots[id] = &host.Tape{}
	}
	return t.boots[id]
}

// Turns counts the turns on the tape.
func (t *Tape) Turns() (n int) {
	for _, b := range t.boots { //order: a sum
		n += b.Turns()
	}
	return n
}

// live ends the playing.
func (w *World) live() {
	w.o.Play = nil
	for _, d := range w.devices {
		if d.boot != nil {
			d.boot.k.Live()
		}
	}
}
