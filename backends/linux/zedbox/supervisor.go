package zedbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Options of a supervisor.
type Options struct {
	Root Root
	// Program is what all processes run, under a link of their own name. Args come behind the name.
	Program string
	Args    []string
	// Agents are those to run, a process each.
	Agents []string
	// Unwatched are agents whose silence is no reason to boot: no watchdog is told of them.
	Unwatched []string
	// Log takes what the processes write, from several goroutines.
	Log io.Writer
	// OnLine takes the supervisor's lines, about a process each; from any goroutine.
	OnLine func(about, text string)
	// Grace is how long a process may take to end; 0 means 12 s, since agents' calls have 10.
	Grace time.Duration
	// Silence is how long a loop may say nothing before it is ended; 0 means the package's.
	Silence time.Duration
	// HubProcs is how many threads of the hub run at once; 0 means one per core.
	HubProcs int
}

// Supervisor keeps the processes of a device.
type Supervisor struct {
	o      Options
	hub    *service
	agents []*service

	off context.CancelCauseFunc // ends Run

	mu sync.Mutex
}

// errOff says that the device has powered itself off.
var errOff = errors.New("the device is off")

// New prepares a supervisor.
func New(o Options) *Supervisor {
	if o.Grace == 0 {
		o.Grace = 12 * time.Second
	}
	if o.Silence == 0 {
		o.Silence = Silence
	}
	if o.HubProcs == 0 {
		o.HubProcs = runtime.NumCPU()
	}
	if o.OnLine == nil {
		o.OnLine = func(string, string) {}
	}
	s := &Supervisor{o: o}
	s.hub = s.service(Hub)
	for _, a := range o.Agents {
		s.agents = append(s.agents, s.service(a))
	}
	return s
}

func (s *Supervisor) service(name string) *service {
	return &service{s: s, now: Process{Name: name, State: Stopped}, ready: make(chan struct{}),
		ended: make(chan struct{})}
}

// Run starts the device and keeps its processes until ctx ends, then stops them: the agents, all at
// once, then the hub. It fails with ErrAlive where a supervisor of the root lives. A hub that ends
// by itself and without an error has powered the device off, and ends it all.
func (s *Supervisor) Run(ctx context.Context) (err error) {
	if err := s.o.Root.Make(); err != nil {
		return err
	}
	pid, err := Hold(s.o.Root, Steps)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pid.Release()) }()
	if err := s.links(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.tidy()) }()
	told := ctx
	ctx, s.off = context.WithCancelCause(ctx)
	defer s.off(nil)
	err = Walk(ctx, s.steps())
	if err == nil {
		s.say(Steps, "all agents are ready")
		<-ctx.Done()
	}
	s.halt()
	if told.Err() != nil || errors.Is(context.Cause(ctx), errOff) {
		return nil // that is why steps were left
	}
	return err
}

// steps are the device's: the hub, then all agents side by side, which wait by themselves for
// what they need of each other.
func (s *Supervisor) steps() []Step {
	list := []Step{{Name: Hub, Do: s.hub.begin}}
	for _, a := range s.agents {
		list = append(list, Step{Name: a.now.Name, After: []string{Hub}, Do: a.begin})
	}
	return list
}

// halt ends all processes.
func (s *Supervisor) halt() {
	for _, list := range [][]*service{s.agents, {s.hub}} {
		var begun []*service
		s.mu.Lock()
		for _, v := range list {
			if v.stop != nil {
				v.stop()
				begun = append(begun, v)
			}
		}
		s.mu.Unlock()
		for _, v := range begun {
			<-v.ended
		}
	}
}

// links gives each process its own name.
func (s *Supervisor) links() error {
	for _, v := range append([]*service{s.hub}, s.agents...) {
		path := s.o.Root.Link(v.now.Name)
		err := os.Remove(path)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Symlink(s.o.Program, path)
		}
		if err != nil {
			return fmt.Errorf("link the program as %s: %w", v.now.Name, err)
		}
	}
	return nil
}

// tidy removes what tells of processes.
func (s *Supervisor) tidy() error {
	err := os.RemoveAll(filepath.Dir(s.o.Root.Link(Hub)))
	for _, path := range []string{s.o.Root.StatusFile(), s.o.Root.PartsFile()} {
		if e := os.Remove(path); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// change changes what is known, and writes it down.
func (s *Supervisor) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	st := Status{PID: os.Getpid(), Hub: s.hub.now}
	for _, a := range s.agents {
		st.Agents = append(st.Agents, a.now)
	}
	if err := WriteStatus(s.o.Root, &st); err != nil {
		s.o.OnLine(Steps, err.Error())
	}
}

func (s *Supervisor) say(about, text string) { s.o.OnLine(about, text) }
