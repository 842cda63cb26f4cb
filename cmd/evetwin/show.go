package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/scenarios/twin"
	"github.com/evetwin/evetwin/tui/source"
)

// socketNote is the file of a run's folder that says where its terminal socket is.
const socketNote = "terminal"

// show is what terminals may see of a running device: one in this process, others over a socket.
type show struct {
	feed *source.Feed
	live atomic.Pointer[twin.Live]
	told map[string]time.Duration // marks the feed has
	// marks are the milestones reached.
	marks func() []source.Mark
}

// newShow makes the feed; attach says which device it shows.
func newShow(marks func() []source.Mark) *show {
	s := &show{marks: marks, told: map[string]time.Duration{}}
	s.feed = source.NewFeed(source.FeedOptions{Pull: s.pull, Act: s.act})
	return s
}

func (s *show) attach(l *twin.Live) { s.live.Store(l) }

// pull has the device's loop show its tables.
func (s *show) pull(ctx context.Context) {
	l := s.live.Load()
	if l == nil {
		return
	}
	_ = l.Device.Do(ctx, func(k *host.Kernel) { // a device that has stopped shows nothing new
		s.milestones()
		if k == nil || k.Dead() {
			s.feed.Sync(nil, nil)
			return
		}
		s.feed.Sync(k, lives(k))
	})
}

// lives is how the agents of a device are.
func lives(k *host.Kernel) []source.Agent {
	var out []source.Agent
	for _, p := range k.Procs() {
		a := source.Agent{Name: p.Name, Starts: p.Started(), Turns: p.Turn}
		if p.Stopped() {
			a.Health, a.Why = source.Stopped, "it broke three times in a row"
		} else if why := p.Slow(); why != "" {
			a.Health, a.Why = source.Slow, why
		}
		out = append(out, a)
	}
	return out
}

func (s *show) boot(k *host.Kernel) { s.feed.Boot(k.Device(), k.BootCount()) }

func (s *show) turn(p *host.Proc, in *host.Input) { s.feed.Turn(p.Name, in.Now) }

func (s *show) line(from string, at time.Duration, l agent.Line) { s.feed.Line(from, at, l) }

// milestones tells the feed what was reached; it runs on the device's loop.
func (s *show) milestones() {
	for _, m := range s.marks() {
		if at, ok := s.told[m.Name]; !ok || at != m.At {
			s.told[m.Name] = m.At
			s.feed.Mark(m)
		}
	}
}

// act carries an operator's request out.
func (s *show) act(ctx context.Context, r source.Request) (err error) {
	if err := r.Check(); err != nil {
		return err
	}
	l := s.live.Load()
	if l == nil {
		return errors.New("the device does not run yet")
	}
	do := func(f func(k *host.Kernel) error) error {
		if e := l.Device.Do(ctx, func(k *host.Kernel) { err = f(k) }); e != nil {
			return e
		}
		return err
	}
	if q, is, err := r.Wish(); is {
		if err != nil {
			return err
		}
		a, err := l.Board.Operator.Wait(ctx, func(ctx context.Context, f func()) error {
			return l.Device.Do(ctx, func(*host.Kernel) { f() })
		}, q)
		if err == nil && !a.OK {
			err = errors.New(a.Text)
		}
		return err
	}
	switch r.Verb {
	case source.RestartAgent:
		return do(func(k *host.Kernel) error {
			p := k.Proc(r.Target)
			if p == nil {
				return fmt.Errorf("there is no agent %s", r.Target)
			}
			k.Crash(p, nil)
			return nil
		})
	case source.Reboot:
		return do(func(*host.Kernel) error { l.Device.Reboot(time.Second); return nil })
	case source.PowerOff:
		return do(func(*host.Kernel) error { l.Device.PowerOff(); return nil })
	case source.PullCable, source.PlugCable:
		d := twin.Device{World: l.Board.World, Board: l.Board}
		return do(func(*host.Kernel) error { return d.Cable(r.Target, r.Verb == source.PlugCable) })
	}
	return fmt.Errorf("%s is nothing this device does", r.Verb)
}

// serve lets other terminals look, until ctx ends; dir is the run's folder, where they find the
// socket.
func (s *show) serve(ctx context.Context, dir string, write bool) (stop func(), err error) {
	sock, err := lab.NewSocketDir()
	if err != nil {
		return nil, fmt.Errorf("make a socket for terminals: %w", err)
	}
	path := filepath.Join(sock.Path, "t")
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a socket for terminals: %w", err), sock.Close())
	}
	note := filepath.Join(dir, socketNote)
	if err := os.WriteFile(note, []byte(path), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("make a socket for terminals: %w", err), ln.Close(),
			sock.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = source.Serve(ctx, ln, s.feed, source.ServeOptions{Write: write}) // ends with ctx
	}()
	return func() {
		cancel()
		<-done
		_, _ = os.Remove(note), sock.Close() // the folder goes, or the next start writes it anew
	}, nil
}
