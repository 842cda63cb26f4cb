package host

import (
	"slices"

	"github.com/evetwin/evetwin/core/bus"
)

// Elsewhere is the rest of a device whose agents run in several processes: the tables, the journal
// and the parts that this process has not got itself. Its kernel knows nothing of the others; all
// of them agree on what time it is and on the count of the boot.
type Elsewhere struct {
	// Boot is the count of the boot, from 1.
	Boot uint64
	// Held is what a topic holds as this kernel starts, for topics of its own agents as for others.
	// Aside are keys of rows that are there and cannot be read: a table with such rows is not
	// declared complete. ok is false where nothing is known of the topic.
	Held func(d *bus.Decl) (h bus.Head, aside []string, ok bool)
	// Call carries a call of an op that no part of this process serves. Its limit and the width of
	// its class are kept where it is served.
	Call func(c AnyRun)
	// Durable stores a record and calls then on the loop when it survives a power cut.
	Durable func(r *Record, then func())
}

// hold begins a table with what is held of it elsewhere.
func (k *Kernel) hold(s *shelf) {
	h, aside, ok := k.o.Elsewhere.Held(s.Decl)
	if !ok || s.Decl.Life == bus.Local {
		return
	}
	s.Show(h)
	for _, key := range aside {
		if s.aside == nil {
			s.aside = map[string]bool{}
		}
		s.aside[key] = true
	}
}

// Show makes a table that a publisher elsewhere has kept the part's table of a topic. As with a
// put, subscribers are shown it behind the step of the part that runs.
func (pt *Part) Show(d *bus.Decl, h bus.Head) {
	c, _ := pt.Publish(d)
	for _, b := range pt.pubs {
		if b.Cursor == c {
			b.touch()
			b.Reset(h)
			pt.shown = true
		}
	}
}

// Stored are the persistent rows of earlier boots, in the order of topics and keys. They are there
// while the wiring is made.
func (k *Kernel) Stored() []Stored {
	return slices.Clone(k.o.Stored)
}
