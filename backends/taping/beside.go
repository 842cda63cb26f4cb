// Package taping records the turns of devices of real time into files, for core/trace to read.
package taping

import (
	"io"
	"sync/atomic"

	"github.com/evetwin/evetwin/core/trace"
)

// Beside makes a recorder whose turns are encoded and written to w by a goroutine of its own, so
// that the loop of the device does not wait for either. It writes what trace.NewRecorder would, to
// the byte. Close waits until all is written and ends the goroutine; w stays open. A loop that is
// ahead by four batches of 256 turns waits.
//
// A program that is killed loses what came after the last Flush, and beyond that the last block
// (64 KiB of frames) and the batches that are under way.
func Beside(w io.Writer) *trace.Recorder { return trace.NewRecorderAt(newDesk(w)) }

// ahead is how many batches of notes may wait for the writer or be with it.
const ahead = 4

// desk is a writer beside the loop.
type desk struct {
	jobs   chan *trace.Notes // nil: a flush
	empty  chan *trace.Notes
	ended  chan struct{}
	made   int // how many batches were made beside the recorder's first
	closed bool
	err    atomic.Pointer[error] // the first one
	bytes  atomic.Int64
}

func newDesk(w io.Writer) *desk {
	d := &desk{jobs: make(chan *trace.Notes, ahead), empty: make(chan *trace.Notes, ahead+1),
		ended: make(chan struct{})}
	go d.write(w)
	return d
}

// write does the jobs.
func (d *desk) write(to io.Writer) {
	defer close(d.ended)
	w := trace.NewWriter(to)
	for n := range d.jobs {
		if n != nil {
			d.empty <- w.Take(n)
		} else if err := w.Flush(); err != nil {
			d.err.CompareAndSwap(nil, &err)
		}
		d.bytes.Store(w.Bytes())
	}
	if err := w.Close(); err != nil {
		d.err.CompareAndSwap(nil, &err)
	}
	d.bytes.Store(w.Bytes())
}

// Take hands notes over.
func (d *desk) Take(n *trace.Notes) *trace.Notes {
	d.jobs <- n
	if len(d.empty) == 0 && d.made < ahead {
		d.made++
		return &trace.Notes{}
	}
	return <-d.empty
}

// Flush asks for it and does not wait, unless the writer is far behind.
func (d *desk) Flush() error {
	d.jobs <- nil
	return d.first()
}

func (d *desk) first() error {
	if err := d.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Close waits until all is written. To close again says the same again.
func (d *desk) Close() error {
	if !d.closed {
		d.closed = true
		close(d.jobs)
	}
	<-d.ended
	return d.first()
}

// Bytes counts what is written.
func (d *desk) Bytes() int64 { return d.bytes.Load() }

var _ trace.Desk = (*desk)(nil)
