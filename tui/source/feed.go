package source

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Kernel is what a feed reads of a device; host.Kernel is one.
type Kernel interface {
	// Device is the device's name.
	Device() string
	// BootCount is the number of this boot, from 1.
	BootCount() uint64
	// Topics are all topics of the device.
	Topics() []*bus.Decl
	// Head is what a topic shows now; ok is false where the device does not have the topic.
	Head(d *bus.Decl) (h bus.Head, ok bool)
	// Now is the time since boot.
	Now() time.Duration
	// Wall is the device's clock.
	Wall() time.Time
	// Dead reports whether the boot has ended.
	Dead() bool
}

// FeedOptions say how a feed reaches its device.
type FeedOptions struct {
	// Pull has the device's loop call Feed.Sync and returns when that is done or ctx has ended. It
	// is called while somebody reads, after something moved and once a second, at most twenty times
	// a second. With nil, whoever feeds calls Sync.
	Pull func(ctx context.Context)
	// Act carries out a request; nil refuses all.
	Act func(ctx context.Context, r Request) error
	// Value makes of what a table of the device holds under a key what a Change has; nil: they are
	// the same.
	Value func(v any) any
	// Lines is how many log lines are kept for those who come later; 0 means 2,000.
	Lines int
}

// Feed is where a device in this process tells what it does. Its methods may be called from any
// goroutine; none of them waits for a reader.
type Feed struct {
	o FeedOptions

	mu      sync.Mutex
	device  Device
	stamp   uint64 // of the newest change to agents and marks
	topics  []topicHead
	agents  []agentNow
	marks   []markNow
	lines   []Line
	oldest  uint64 // number of lines[0]; every line has one, from 1
	readers []*Reader
}

// topicHead is a topic and the newest table of it that the feed was shown.
type topicHead struct {
	decl *bus.Decl
	head bus.Head
}

type agentNow struct {
	Agent
	stamp uint64
}

type markNow struct {
	Mark
	stamp uint64
}

// NewFeed makes a feed that nobody feeds yet.
func NewFeed(o FeedOptions) *Feed {
	if o.Lines <= 0 {
		o.Lines = 2000
	}
	return &Feed{o: o, oldest: 1}
}

// Turn tells that an agent had a turn, at a time since boot; the rest comes with Sync.
func (f *Feed) Turn(name string, at time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.agent(name)
	f.stamp++
	a.Turns, a.Last, a.stamp = a.Turns+1, at, f.stamp
	f.ring()
}

// Line takes a log line.
func (f *Feed) Line(from string, at time.Duration, l agent.Line) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.lines) - f.o.Lines; n >= f.o.Lines/4 {
		f.lines = slices.Clone(f.lines[n:])
		f.oldest += uint64(n)
	}
	f.lines = append(f.lines, Line{from, at, l})
	f.ring()
}

// Mark tells that a milestone was reached; telling it again replaces it.
func (f *Feed) Mark(m Mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stamp++
	i := slices.IndexFunc(f.marks, func(x markNow) bool { return x.Name == m.Name })
	if i < 0 {
		f.marks = append(f.marks, markNow{})
		i = len(f.marks) - 1
	}
	f.marks[i] = markNow{m, f.stamp}
	f.ring()
}

// Wake has the readers look: something moved, which the next Sync will show.
func (f *Feed) Wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ring()
}

// Sync shows the feed what the device's tables hold now, and how its agents are. It runs on the
// device's loop and costs one comparison for a topic that has not moved. A nil k is a device that
// is off; a nil pointer to a kernel is not a nil k.
func (f *Feed) Sync(k Kernel, agents []Agent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k == nil || k.Dead() {
		if !f.device.Off {
			f.device.Off, f.device.Runs = true, false
			f.ring()
		}
		return
	}
	if boot := k.BootCount(); boot != f.device.Boot {
		f.boot(k.Device(), boot)
	}
	f.device.Up, f.device.Wall, f.device.Runs, f.device.Off = k.Now(), k.Wall(), true, false
	for _, d := range k.Topics() {
		h, ok := k.Head(d)
		if ok && f.show(d, h) {
			f.ring()
		}
	}
	for i, a := range agents {
		f.life(a, i)
	}
}

// Boot tells that a boot begins: what the one before showed is void. Call it before the agents of
// the boot start; Sync notices another boot too, but only when somebody looks.
func (f *Feed) Boot(name string, boot uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boot(name, boot)
}

func (f *Feed) boot(name string, boot uint64) {
	if f.device.Boot != 0 { // before the first there was nothing to forget
		f.topics, f.agents, f.marks = nil, nil, nil
	}
	f.device = Device{Name: name, Boot: boot}
	f.stamp++
	for _, r := range f.readers {
		r.again = true
	}
	f.ring()
}

// show keeps the newest table of a topic and reports whether it is another.
func (f *Feed) show(d *bus.Decl, h bus.Head) bool {
	name := d.String()
	i, found := slices.BinarySearchFunc(f.topics, name, func(t topicHead, name string) int {
		return compare(t.decl.String(), name)
	})
	if !found {
		f.topics = slices.Insert(f.topics, i, topicHead{d, h})
		return true
	}
	if t := &f.topics[i]; t.decl != d || !t.head.Same(h) {
		*t = topicHead{d, h}
		return true
	}
	return false
}

// life takes what the host knows of an agent, and its place in the host's order.
func (f *Feed) life(now Agent, place int) {
	a := f.agent(now.Name)
	if place < len(f.agents) && f.agents[place].Name != now.Name {
		i := slices.IndexFunc(f.agents, func(x agentNow) bool { return x.Name == now.Name })
		f.agents[place], f.agents[i] = f.agents[i], f.agents[place]
		a = &f.agents[place]
	}
	now.Last = max(now.Last, a.Last)
	if a.Agent != now {
		f.stamp++
		*a = agentNow{now, f.stamp}
		f.ring()
	}
}

func (f *Feed) agent(name string) *agentNow {
	for i := range f.agents {
		if f.agents[i].Name == name {
			return &f.agents[i]
		}
	}
	f.stamp++
	f.agents = append(f.agents, agentNow{Agent{Name: name, Starts: 1}, f.stamp})
	return &f.agents[len(f.agents)-1]
}

// ring wakes the readers.
func (f *Feed) ring() {
	for _, r := range f.readers {
		select {
		case r.bell <- struct{}{}:
		default:
		}
	}
}

// act carries out a request.
func (f *Feed) act(ctx context.Context, r Request) error {
	if f.o.Act == nil {
		return ErrReadOnly
	}
	if err := r.Check(); err != nil {
		return err
	}
	return f.o.Act(ctx, r)
}
