package source

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/bus"
)

const (
	// pace is the least time between two batches of a reader: twenty a second.
	pace = 50 * time.Millisecond
	// beat is how often a reader looks although nothing told it to: parts may move unheard.
	beat = time.Second
	// pullFor bounds how long a reader waits for the device's loop.
	pullFor = 2 * time.Second
)

// compare orders names.
func compare(a, b string) int { return strings.Compare(a, b) }

// Reader is one consumer of a feed, and its place in it. It is for one goroutine.
type Reader struct {
	f    *Feed
	bell chan struct{}
	last time.Time // of the batch before

	// again is the feed's: the next batch is a snapshot.
	again bool
	seen  []topicHead
	stamp uint64
	line  uint64 // number of the next line
	dev   Device
	told  bool
}

// Open adds a reader; its first batch is a snapshot. Close it when done.
func (f *Feed) Open() *Reader {
	r := &Reader{f: f, bell: make(chan struct{}, 1), again: true}
	f.mu.Lock()
	defer f.mu.Unlock()
	r.bell <- struct{}{} // the snapshot
	f.readers = append(f.readers, r)
	return r
}

// Close takes the reader off its feed.
func (r *Reader) Close() {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	r.f.readers = slices.DeleteFunc(r.f.readers, func(x *Reader) bool { return x == r })
}

// Do asks the device for something; see Source.
func (r *Reader) Do(ctx context.Context, q Request) error { return r.f.act(ctx, q) }

// Next waits for something new; see Source.
func (r *Reader) Next(ctx context.Context) (*Batch, error) {
	for {
		if err := r.wait(ctx); err != nil {
			return nil, err
		}
		if r.f.o.Pull != nil {
			pull, cancel := context.WithTimeout(ctx, pullFor)
			r.f.o.Pull(pull)
			cancel()
		}
		r.last = time.Now()
		if b := r.take(); !b.Empty() {
			b.At = r.last
			return b, nil
		}
	}
}

// wait returns at the next bell or beat, but not before a frame is over.
func (r *Reader) wait(ctx context.Context) error {
	t := time.NewTimer(beat)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.bell:
	case <-t.C:
	}
	rest := pace - time.Since(r.last)
	if rest <= 0 {
		return ctx.Err()
	}
	t.Reset(rest)
	select {
	case <-ctx.Done():
	case <-t.C:
	}
	select { // what rang meanwhile is part of this batch
	case <-r.bell:
	default:
	}
	return ctx.Err()
}

// take makes a batch of all that is new to the reader.
func (r *Reader) take() *Batch {
	b := &Batch{}
	for i, t := range r.collect(b) {
		for key, val := range t.head.Since(r.was(i, t.decl)) {
			_, rev := t.head.Get(key)
			if val == nil {
				rev = t.head.Rev()
			} else if r.f.o.Value != nil {
				val = r.f.o.Value(val)
			}
			b.Rows = append(b.Rows, Change{Topic: t.decl.String(), Key: key, Rev: rev, Val: val})
		}
		r.keep(i, t)
	}
	return b
}

// collect takes from the feed what is cheap to take under its lock, and returns its topics.
func (r *Reader) collect(b *Batch) []topicHead {
	f := r.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.again {
		r.again, b.Reset = false, true
		r.seen, r.stamp, r.told, r.line = nil, 0, false, f.oldest
		b.Link = &Link{Write: f.o.Act != nil}
	}
	if d := f.device; !r.told || !d.follows(r.dev) {
		r.dev, r.told = d, true
		b.Device = &d
	}
	for i := range f.agents {
		if a := &f.agents[i]; a.stamp > r.stamp {
			b.Agents = append(b.Agents, a.Agent)
		}
	}
	for _, m := range f.marks {
		if m.stamp > r.stamp {
			b.Marks = append(b.Marks, m.Mark)
		}
	}
	r.stamp = f.stamp
	if r.line < f.oldest {
		b.Lost = int(f.oldest - r.line)
		r.line = f.oldest
	}
	b.Lines = slices.Clone(f.lines[r.line-f.oldest:])
	r.line += uint64(len(b.Lines))
	return slices.Clone(f.topics)
}

// was is the table of a topic that the reader saw last. The lists of feed and reader are both in
// order of names, and the feed's only grows: a topic that is not at i is new.
func (r *Reader) was(i int, d *bus.Decl) bus.Head {
	if i < len(r.seen) && r.seen[i].decl == d {
		return r.seen[i].head
	}
	return bus.Head{}
}

func (r *Reader) keep(i int, t topicHead) {
	if i < len(r.seen) && r.seen[i].decl == t.decl {
		r.seen[i] = t
		return
	}
	r.seen = slices.Insert(r.seen, i, t)
}

// follows reports whether d is what was becomes by the passing of time alone.
func (d Device) follows(was Device) bool {
	if d.Name != was.Name || d.Boot != was.Boot || d.Runs != was.Runs || d.Off != was.Off {
		return false
	}
	up, wall := d.Up-was.Up, d.Wall.Sub(was.Wall)
	return d.Runs && up < 10*time.Second && (up-wall).Abs() < 100*time.Millisecond
}

var _ Source = (*Reader)(nil)
