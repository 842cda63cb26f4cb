package zedbox

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/child"
)

// Waits before a process that died is started again; each is twice the one before, and the first is
// back once a process has lived for calm.
const (
	firstWait = 50 * time.Millisecond
	maxWait   = 30 * time.Second
	calm      = time.Minute
)

// pulseFD is the first descriptor that a child inherits.
const pulseFD = 3

// service is a process that is to live. Its fields but ready are guarded by the supervisor's mu.
type service struct {
	s     *Supervisor
	now   Process
	ready chan struct{} // closed when it was ready for the first time
	ended chan struct{} // closed when it is not started again
	stop  context.CancelFunc
}

// begin keeps the service until its context ends; it returns when it is ready for the first time.
func (v *service) begin(ctx context.Context) error {
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	v.s.change(func() { v.stop = stop })
	go func() {
		defer close(v.ended)
		v.keep(keep)
	}()
	select {
	case <-v.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// keep runs the process, again and again.
func (v *service) keep(ctx context.Context) {
	wait := firstWait
	for {
		began := time.Now()
		reason, clean := v.life(ctx)
		if ctx.Err() != nil {
			v.set(Stopped, 0, "")
			return
		}
		if clean && v == v.s.hub {
			v.set(Stopped, 0, "")
			v.s.off(errOff)
			return
		}
		if time.Since(began) > calm {
			wait = firstWait
		}
		v.set(Waiting, 0, reason)
		v.s.say(v.now.Name, "ended: "+reason+"; begins again in "+wait.String())
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		if ctx.Err() != nil {
			v.set(Stopped, 0, reason)
			return
		}
		wait = min(2*wait, maxWait)
		v.s.change(func() { v.now.Restarts++ })
	}
}

// life is one process from its beginning to its end; it says why it ended, and whether that was
// without an error, by itself.
func (v *service) life(ctx context.Context) (reason string, clean bool) {
	r, w, err := os.Pipe()
	if err != nil {
		return "make a pipe: " + err.Error(), false
	}
	defer r.Close()
	o := v.s.o
	p, err := child.Start(child.Options{Name: v.now.Name, Path: o.Root.Link(v.now.Name),
		Args: v.args(), Stdout: o.Log, Stderr: o.Log, Files: []*os.File{w},
		Env: append(os.Environ(), pipeVariable+"="+strconv.Itoa(pulseFD), "GOMAXPROCS="+v.procs())})
	w.Close()
	if err != nil {
		return err.Error(), false
	}
	v.set(Starting, p.PID(), "")
	silent := time.NewTimer(v.s.o.Silence)
	defer silent.Stop()
	words, gone := make(chan byte), make(chan struct{})
	defer close(gone)
	go listen(r, words, gone)
	for {
		select {
		case b, ok := <-words:
			if !ok {
				words = nil
				continue
			}
			silent.Reset(v.s.o.Silence)
			if b == wordReady {
				v.isReady(p.PID())
			}
		case <-silent.C:
			v.s.say(v.now.Name, fmt.Sprintf("has said nothing for %v", v.s.o.Silence))
			_ = p.Signal(unix.SIGQUIT) // the runtime writes all stacks and ends
			if err := p.Stop(o.Grace); err != nil {
				return err.Error(), false
			}
			return fmt.Sprintf("silent for %v", v.s.o.Silence), false
		case <-p.Done():
			v.s.disarm(v.now.Name)
			if err := p.Err(); err != nil {
				return brief(err.Error()), false
			}
			return "it returned", true
		case <-ctx.Done():
			v.s.disarm(v.now.Name)
			if err := p.Stop(o.Grace); err != nil {
				v.s.say(v.now.Name, err.Error())
			}
			return "stopped", false
		}
	}
}

// brief is the beginning and the end of what a process has left: how it ended, and its last words.
func brief(s string) string {
	const head, tail = 60, 140
	if len(s) <= head+tail {
		return s
	}
	return strings.ToValidUTF8(s[:head], "") + " … " + strings.ToValidUTF8(s[len(s)-tail:], "")
}

// args are behind the name of the program; the hub's name is also that of the program itself.
func (v *service) args() []string {
	if v.now.Name == Hub {
		return append([]string{"hub"}, v.s.o.Args...)
	}
	return v.s.o.Args
}

// procs is how many threads run at once: an agent is one loop, and is faster with one.
func (v *service) procs() string {
	if v.now.Name == Hub {
		return strconv.Itoa(v.s.o.HubProcs)
	}
	return "1"
}

// isReady is told once per process.
func (v *service) isReady(pid int) {
	v.set(Running, pid, "")
	v.s.arm(v.now.Name)
	v.s.say(v.now.Name, fmt.Sprintf("process %d is ready", pid))
	select {
	case <-v.ready:
	default:
		close(v.ready)
	}
}

// set says what the service is at. A reason stays until there is another.
func (v *service) set(s State, pid int, reason string) {
	v.s.change(func() {
		v.now.State, v.now.PID, v.now.Since = s, pid, time.Now()
		if reason != "" {
			v.now.Reason = reason
		}
	})
}

// listen passes on what a process says until it has ended.
func listen(r *os.File, words chan<- byte, gone <-chan struct{}) {
	defer close(words)
	b := make([]byte, 1)
	for {
		if n, err := r.Read(b); n == 0 || err != nil {
			return
		}
		select {
		case words <- b[0]:
		case <-gone:
			return
		}
	}
}
