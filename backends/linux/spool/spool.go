package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/store/watch"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/log"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/logspool"
)

// Dir is the folder of the files below the root of a device.
const Dir = "persist/newlog/collect"

// every is how long lines come together before they are written.
const every = 800 * time.Millisecond

// Options of the part.
type Options struct {
	// Root is the folder with /persist; empty means "/".
	Root string
	// Limits of the files; zero: EVE's for the size of the disk.
	Limits logspool.Limits
	// Device tells what the device's files say of it first; nil: nothing.
	Device func() logspool.Bundle
	// Every is how long lines come together before they are written; 0 means 800 ms.
	Every time.Duration
	// Now tells the time of the system; nil: time.Now.
	Now func() time.Time
	// OnError is told what goes wrong with the files, once until it goes right again, from any
	// goroutine; may be nil.
	OnError func(error)
}

// Part is the part log.
type Part struct {
	o   Options
	pid string

	mu    sync.Mutex
	queue logspool.Queue
	msg   uint64
	boot  *boot
}

// New makes the part; it touches nothing before it is wired. Lines are taken at once.
func New(o Options) *Part {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.Every == 0 {
		o.Every = every
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Device == nil {
		o.Device = func() logspool.Bundle { return logspool.Bundle{} }
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return &Part{o: o, pid: strconv.Itoa(os.Getpid())}
}

// Line takes a line of an agent or of the host; from any goroutine. It does not wait.
func (p *Part) Line(from string, l agent.Line) {
	p.add(logspool.Device, p.pid, logspool.NewEntry(from, p.o.Now(), l))
}

// Console takes what a guest says, by application; for one goroutine at a time.
func (p *Part) Console(app string) io.Writer {
	return &logspool.Splitter{Line: func(text string) {
		p.add(app, app, logspool.NewEntry("guest", p.o.Now(), agent.Line{Level: agent.Info, Text: text}))
	}}
}

// add queues a line, and wakes the writer if it has to know.
func (p *Part) add(stream, iid string, e logspool.Entry) {
	e.IID = iid
	p.mu.Lock()
	p.msg++
	e.MsgID = p.msg
	first, half := p.queue.Add(logspool.Line{Stream: stream, Text: e.Bytes()})
	b := p.boot
	p.mu.Unlock()
	if b == nil {
		return
	}
	if first {
		wake(b.some)
	}
	if half {
		wake(b.much)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will look
	}
}

// Wire adopts the files that are there, and publishes what is spooled, on a boot.
func (p *Part) Wire(k *host.Kernel) {
	p.Close()
	pt := k.Part("log")
	pub := bus.Publish(pt, device.Spool)
	b := &boot{p: p, some: make(chan struct{}, 1), much: make(chan struct{}, 1),
		look: make(chan struct{}, 1), flush: make(chan chan struct{}), stop: make(chan struct{}),
		ended: make(chan struct{}),
		show: func(row device.SpoolSeen, ok, whole bool) {
			pt.Post(func() {
				if ok {
					pub.Put(row)
				} else {
					pub.Delete(row.Key())
				}
				if whole {
					pub.Complete()
				}
			})
		}}
	p.mu.Lock()
	p.boot = b
	p.mu.Unlock()
	go b.run()
}

// Flush returns when all that was said before is written, or dropped. It does nothing while the
// part is not wired.
func (p *Part) Flush() {
	p.mu.Lock()
	b := p.boot
	p.mu.Unlock()
	if b == nil {
		return
	}
	done := make(chan struct{})
	select {
	case b.flush <- done:
		<-done
	case <-b.ended:
	}
}

// Close writes what waits and ends the writer; lines wait for the next Wire then.
func (p *Part) Close() {
	p.mu.Lock()
	b := p.boot
	p.boot = nil
	p.mu.Unlock()
	if b != nil {
		close(b.stop)
		<-b.ended
	}
}

// limits are the limits of the files.
func (p *Part) limits() logspool.Limits {
	if p.o.Limits != (logspool.Limits{}) {
		return p.o.Limits
	}
	var at unix.Statfs_t
	size := int64(1 << 30)
	if err := unix.Statfs(filepath.Join(p.o.Root, "persist"), &at); err == nil {
		size = int64(at.Blocks) * at.Bsize
	}
	return logspool.LimitsFor(size)
}

// head is the first line of a file.
func (p *Part) head(stream string) []byte {
	if stream == logspool.Device {
		return p.o.Device().Bytes()
	}
	return logspool.AppHead(stream)
}

// adopt opens the spool.
func (b *boot) adopt() {
	b.dir = &folder{dir: filepath.Join(b.p.o.Root, Dir), open: map[string]*os.File{},
		made: func() error { return b.watched() }}
	w, err := watch.New(b)
	if err == nil {
		b.watch = w
	}
	b.told(err)
	b.spool, err = logspool.New(logspool.Options{Limits: b.p.limits(), Disk: b.dir, Head: b.p.head})
	b.told(err)
}

// watched has the folder watched.
func (b *boot) watched() error {
	if b.watch == nil {
		return nil
	}
	return b.watch.Add(b.dir.dir)
}

// told tells an error, once until there is none.
func (b *boot) told(err error) {
	switch {
	case err == nil:
		b.bad = false
	case !b.bad:
		b.bad = true
		b.p.o.OnError(fmt.Errorf("spool lines: %w", err))
	}
}

// shut ends the work with the disk.
func (b *boot) shut() {
	var err error
	if b.watch != nil {
		err = b.watch.Close()
	}
	b.told(errors.Join(err, b.dir.shut()))
}
