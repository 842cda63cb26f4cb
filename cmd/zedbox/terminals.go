package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	eve "github.com/evetwin/evetwin/backends/linux/monitor"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/operator"
	"github.com/evetwin/evetwin/core/agent"
	wish "github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/tui/source"
)

// terminals are those who look at the device, and ask for something: at two sockets, EVE's and that
// of "evetwin tui". None of them writes a topic: what they ask of the device goes to the agent
// monitor, by the part operator.
type terminals struct {
	b      *box
	l      *lines
	h      *hub.Hub // nil until serve
	people *operator.Part
	feed   *source.Feed
	seen   *tables // of the device's loop
	marks  milestones
}

// newTerminals makes the feed of a device that is not made yet: its lines come first.
func newTerminals(b *box, l *lines, people *operator.Part) *terminals {
	t := &terminals{b: b, l: l, people: people, seen: newTables()}
	t.feed = source.NewFeed(source.FeedOptions{Pull: t.pull, Act: t.act, Value: rowJSON})
	return t
}

// line takes a line of an agent's process, which has written it, and keeps it.
func (t *terminals) line(from string, at time.Duration, x agent.Line) {
	if t.l.kept != nil {
		t.l.kept(from, x)
	}
	t.feed.Line(from, at, x)
}

// own takes a line of the hub's own process, and has it written and kept.
func (t *terminals) own(from string, at time.Duration, x agent.Line) {
	t.l.OnLine(from, at, x)
	t.feed.Line(from, at, x)
}

// serve serves terminals until ctx ends. That it cannot is no reason to stop a device.
func (t *terminals) serve(ctx context.Context, h *hub.Hub) {
	t.h = h
	say := func(text string) { t.l.write(agent.Warn, zedbox.Hub, "terminal", text) }
	var serving sync.WaitGroup
	serving.Go(func() { t.follow(ctx) })
	serving.Go(func() {
		err := eve.Serve(ctx, h, eve.Options{Path: t.b.folder().MonitorSocket(),
			Server: t.server, Ask: t.ask, OnLine: say})
		if err != nil {
			say(err.Error())
		}
	})
	serving.Go(func() {
		if err := t.serveFeed(ctx); err != nil {
			say(err.Error())
		}
	})
	serving.Wait()
}

// serveFeed lets "evetwin tui" look.
func (t *terminals) serveFeed(ctx context.Context) error {
	path := t.b.folder().TerminalSocket()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make the socket of terminals: %w", err)
	}
	lis, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return fmt.Errorf("make the socket of terminals: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("make the socket of terminals: %w", err), lis.Close())
	}
	return source.Serve(ctx, rootOnly{lis}, t.feed, source.ServeOptions{Write: true})
}

// rootOnly is a listener for processes of root.
type rootOnly struct{ *net.UnixListener }

// Accept waits for the next process of root; others are shut out.
func (l rootOnly) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if peer, err := wire.PeerOf(c); err == nil && peer.UID == 0 {
			return c, nil
		}
		_ = c.Close()
	}
}

// server is the name of the controller, as the device was installed.
func (t *terminals) server() string {
	b, err := os.ReadFile(filepath.Join(t.b.folder().Config(), "server"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// follow has those who look told when something moves, and notes the milestones.
func (t *terminals) follow(ctx context.Context) {
	w := t.h.Watch()
	defer w.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.C():
		}
		t.feed.Wake()
		if !t.marks.moved(w) {
			continue
		}
		_ = t.h.Device().Do(ctx, func(k *host.Kernel) { // a device that has stopped reaches no more
			if k != nil && !k.Dead() {
				t.marks.reach(k, w, t.feed)
			}
		})
	}
}

// pull shows the feed what the tables are now.
func (t *terminals) pull(ctx context.Context) {
	err := t.h.Device().Do(ctx, func(k *host.Kernel) {
		if k == nil {
			return
		}
		t.seen.look(k, t.h.Topics())
		t.feed.Sync(t.seen, lives(t.h.Agents()))
	})
	if err != nil {
		t.feed.Sync(nil, nil) // it is off
	}
}

// ask has the agent monitor carry a request out.
func (t *terminals) ask(ctx context.Context, q wish.RequestSeen) (operator.Answer, error) {
	return t.people.Wait(ctx, func(ctx context.Context, f func()) error {
		return t.h.Device().Do(ctx, func(*host.Kernel) { f() })
	}, q)
}

// act carries out what a terminal asks for.
func (t *terminals) act(ctx context.Context, r source.Request) error {
	if q, is, err := r.Wish(); is {
		if err != nil {
			return err
		}
		a, err := t.ask(ctx, q)
		if err == nil && !a.OK {
			err = errors.New(a.Text)
		}
		return err
	}
	if r.Verb == source.RestartAgent {
		return t.restart(r.Target)
	}
	return fmt.Errorf("a device that is no model does not %s for a terminal", r.Verb)
}

// restart ends the process of an agent, which is started again.
func (t *terminals) restart(name string) error {
	for _, c := range t.h.Connected() {
		for _, a := range c.Agents {
			switch {
			case a != name:
			case len(c.Agents) > 1:
				return fmt.Errorf("%s is one process with the other agents", name)
			default:
				if err := syscall.Kill(c.PID, syscall.SIGTERM); err != nil {
					return fmt.Errorf("restart %s: end process %d: %w", name, c.PID, err)
				}
				return nil
			}
		}
	}
	return fmt.Errorf("there is no process of an agent %s", name)
}
