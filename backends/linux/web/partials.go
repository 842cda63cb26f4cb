package web

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/backends/linux/store/watch"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host"
)

// record is the suffix of what lies beside a download.
const record = ".progress"

// shelf is what is seen of the folder of downloads. One goroutine at a time looks, and notes what
// it saw in the same breath, so that rows come in the order in which the folder changed.
type shelf struct {
	dir *partial.Dir

	mu    sync.Mutex
	fresh []seen // what was seen and is not published yet
	whole bool   // the folder was read, and that is not published yet
	busy  map[string]*fetching
	watch *watch.Watcher
	over  bool
}

// seen is a download as it was at a look; gone says that there is none.
type seen struct {
	state partial.State
	gone  bool
}

// fetching is a download under way.
type fetching struct {
	stop context.CancelFunc
	done chan struct{}
}

// open has the folder looked at whenever it was recovered or a download was taken out of it.
func (b *boot) open() {
	b.shelf.dir.OnTaken(b.look)
	b.shelf.dir.OnReady(b.lookAtAll)
}

// shut ends the watching.
func (b *boot) shut() {
	b.shelf.dir.OnTaken(nil)
	b.shelf.mu.Lock()
	b.shelf.over = true
	w := b.shelf.watch
	b.shelf.mu.Unlock()
	if w != nil {
		_ = w.Close() // it can only be closed already
	}
}

// lookAtAll lists the folder, and watches it from then on.
func (b *boot) lookAtAll() {
	if err := b.watchFolder(); err != nil {
		b.o.OnError(err)
	}
	b.shelf.mu.Lock()
	list, err := b.shelf.dir.List()
	for _, s := range list {
		b.shelf.fresh = append(b.shelf.fresh, seen{state: s})
	}
	b.shelf.whole = err == nil
	b.shelf.mu.Unlock()
	if err != nil {
		b.o.OnError(err)
	}
	b.pt.Post(b.publish)
}

// watchFolder has others' changes heard.
func (b *boot) watchFolder() error {
	b.shelf.mu.Lock()
	defer b.shelf.mu.Unlock()
	if b.shelf.over {
		return nil
	}
	if b.shelf.watch == nil {
		w, err := watch.New(intruder{b})
		if err != nil {
			return err
		}
		b.shelf.watch = w
	}
	return b.shelf.watch.Add(b.shelf.dir.Path())
}

// intruder hears what others do to the folder.
type intruder struct{ b *boot }

// Changed looks at the download that a file belongs to. What this part writes it knows itself.
func (i intruder) Changed(_, name string) {
	target := strings.TrimSuffix(name, record)
	if partial.Names(target) && !i.b.fetches(target) {
		i.b.look(target)
	}
}

// Lost looks at everything.
func (i intruder) Lost() { i.b.lookAtAll() }

// fetches reports whether a download is under way.
func (b *boot) fetches(target string) bool {
	b.shelf.mu.Lock()
	defer b.shelf.mu.Unlock()
	return b.shelf.busy[target] != nil
}

// look notes how a download is now.
func (b *boot) look(target string) {
	b.shelf.mu.Lock()
	s, ok := b.shelf.dir.Get(target)
	s.Target = target
	b.shelf.fresh = append(b.shelf.fresh, seen{s, !ok})
	b.shelf.mu.Unlock()
	b.pt.Post(b.publish)
}

// publish puts what was seen; on the device's loop.
func (b *boot) publish() {
	b.shelf.mu.Lock()
	fresh, whole := b.shelf.fresh, b.shelf.whole
	b.shelf.fresh, b.shelf.whole = nil, false
	b.shelf.mu.Unlock()
	for _, x := range fresh {
		if s := x.state; x.gone {
			b.partials.Delete(s.Target)
		} else {
			b.partials.Put(device.PartialSeen{Target: s.Target, Have: s.Have, Size: s.Size,
				Whole: s.Done})
		}
	}
	if whole {
		b.partials.Complete()
	}
}

// claim makes a download the caller's alone until done is called; ctx then ends with its removal,
// too.
func (b *boot) claim(ctx context.Context, target string) (context.Context, func(), error) {
	for {
		b.shelf.mu.Lock()
		other := b.shelf.busy[target]
		if other == nil {
			ctx, stop := context.WithCancel(ctx)
			f := &fetching{stop, make(chan struct{})}
			b.shelf.busy[target] = f
			b.shelf.mu.Unlock()
			return ctx, func() {
				b.shelf.mu.Lock()
				delete(b.shelf.busy, target)
				b.shelf.mu.Unlock()
				stop()
				close(f.done)
			}, nil
		}
		b.shelf.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// remove deletes a download; one under way is ended first.
func (b *boot) remove(c host.Run[device.TargetReq, device.None]) {
	target := c.Req().Target
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		ctx, done, f := b.work(ctx)
		if f != nil || !partial.Names(target) { // there is none of that name
			if f == nil {
				done()
			}
			return device.None{}, f
		}
		defer done()
		b.shelf.mu.Lock()
		if other := b.shelf.busy[target]; other != nil {
			other.stop()
		}
		b.shelf.mu.Unlock()
		_, release, err := b.claim(ctx, target)
		if err != nil {
			return device.None{}, fault(ctx, "remove download "+target, err)
		}
		defer release()
		err = b.shelf.dir.Remove(target)
		b.look(target)
		if err != nil {
			return device.None{}, &agent.Fault{Code: device.FaultDisk, Text: fmt.Sprint(err),
				Retry: true}
		}
		return device.None{}, nil
	}, func(res device.None, f *agent.Fault) {
		b.publish()
		c.Finish(res, f)
	})
}
