package vmm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/evetwin/evetwin/backends/linux/store/watch"
	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// ErrGone says that there is no such guest.
var ErrGone = errors.New("no such guest")

// Options of Open.
type Options struct {
	// Dir has what a reboot of the machine is to forget. It is made if need be; its path must be
	// short, as sockets' paths are.
	Dir string
	// Program is QEMU; empty means qemu.DefaultProgram on PATH.
	Program string
	// Space is the network namespace, by its name, that guests' interfaces are in; empty: ours.
	Space string
	// Interrupted says, by a guest's note, that its start was under way when an earlier process of
	// ours ended: what is left of that start is ended by Open. May be nil.
	Interrupted func(note []byte) bool
	// OnError is told of what goes wrong beside the calls; may be nil.
	OnError func(error)
}

// Guests are the guests of a folder. At most one process at a time has them open. Calls block, and
// those that change one guest are made one after the other; all may be made from any goroutine.
type Guests struct {
	o       Options
	program string
	watcher *watch.Watcher
	ctx     context.Context
	stop    context.CancelFunc
	work    sync.WaitGroup
	changed chan struct{}

	mu      sync.Mutex
	closed  bool
	guests  map[string]*guest
	pending []string
}

// guest is a guest that is there.
type guest struct {
	rec record
	run *run // nil: it is off
}

// Open finds the guests of a folder and follows those that run.
func Open(o Options) (*Guests, error) {
	if o.Program == "" {
		o.Program = qemu.DefaultProgram
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	g := &Guests{o: o, guests: map[string]*guest{}, changed: make(chan struct{}, 1)}
	g.ctx, g.stop = context.WithCancel(context.Background())
	var err error
	if g.program, err = exec.LookPath(o.Program); err != nil {
		return nil, fmt.Errorf("run guests: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("run guests: %w", err)
	}
	if g.watcher, err = watch.New(removals{g}); err != nil {
		return nil, err
	}
	if err = g.watcher.Add(o.Dir); err == nil {
		err = g.find()
	}
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// find takes in what earlier processes of ours have left.
func (g *Guests) find() error {
	all, err := g.load()
	if err != nil {
		return err
	}
	for name, rec := range all { //order: each is a guest of its own
		x := &guest{rec: *rec}
		g.mu.Lock()
		g.guests[name] = x
		g.mu.Unlock()
		if rec.Process == nil {
			continue
		}
		p, err := hold(*rec.Process)
		if err == nil && p != nil && g.o.Interrupted != nil && g.o.Interrupted(rec.Note) {
			err = p.end()
			p.release()
			p = nil
		}
		if err != nil {
			return fmt.Errorf("find guest %s: %w", name, err)
		}
		if p != nil && g.adopt(name, p) {
			continue
		}
		g.mu.Lock()
		err = g.over(name, x)
		g.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// over writes down that the process of a guest has ended. Who calls it has the lock.
func (g *Guests) over(name string, x *guest) error {
	x.run, x.rec.Process = nil, nil
	if x.rec.End == Off {
		x.rec.End = Crashed
	}
	return g.save(name, &x.rec)
}

// Close lets all guests go, which run on; the next Open finds them.
func (g *Guests) Close() error {
	g.mu.Lock()
	g.closed = true
	g.stop()
	for _, x := range g.guests { //order: each is let go by itself
		if x.run != nil {
			x.run.release()
		}
	}
	g.mu.Unlock()
	err := g.watcher.Close()
	g.work.Wait()
	return err
}

// Names are the guests that are there.
func (g *Guests) Names() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for name := range g.guests { //order: sorted below
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Changed has a value when Take has names.
func (g *Guests) Changed() <-chan struct{} { return g.changed }

// Take returns the guests that something happened to by itself since the last Take.
func (g *Guests) Take() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.pending
	g.pending = nil
	return out
}

// tell notes that something happened to a guest. Who calls it has the lock.
func (g *Guests) tell(name string) {
	if !slices.Contains(g.pending, name) {
		g.pending = append(g.pending, name)
	}
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// removals is told of the folder's files.
type removals struct{ g *Guests }

// Changed takes note of a guest whose file somebody removed. One that runs is not forgotten.
func (r removals) Changed(_, file string) {
	g := r.g
	name, ok := strings.CutSuffix(file, recordSuffix)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.guests[name]
	if x == nil || g.closed {
		return
	}
	if _, err := os.Stat(g.path(name, recordSuffix)); !errors.Is(err, os.ErrNotExist) {
		return
	}
	if x.run != nil {
		if err := g.save(name, &x.rec); err != nil {
			g.o.OnError(err)
		}
		return
	}
	delete(g.guests, name)
	g.tell(name)
}

// Lost looks at all files.
func (r removals) Lost() {
	for _, name := range r.g.Names() {
		r.Changed("", name+recordSuffix)
	}
}
