package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/backends/operator"
	device "github.com/evetwin/evetwin/core/device/operator"
)

const (
	// stall is how long a terminal may take no bytes before it is dropped.
	stall = 10 * time.Second
	// pace is the least time between two looks at the tables.
	pace = 100 * time.Millisecond
	// answerWithin bounds a request.
	answerWithin = time.Minute
)

// Options of a server.
type Options struct {
	// Path is that of the socket: at most 107 bytes.
	Path string
	// Server returns the name of the controller; it may read a file.
	Server func() string
	// Ask has the device carry a request out.
	Ask func(ctx context.Context, q device.RequestSeen) (operator.Answer, error)
	// OnLine is told what went wrong with a terminal, from any goroutine.
	OnLine func(text string)
}

// Serve shows the tables of h to one terminal at a time until ctx ends. The socket goes with it.
func Serve(ctx context.Context, h *hub.Hub, o Options) error {
	if err := os.Remove(o.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make the socket of terminals: %w", err)
	}
	lis, err := net.ListenUnix("unix", &net.UnixAddr{Name: o.Path, Net: "unix"})
	if err == nil {
		err = os.Chmod(o.Path, 0o600)
	}
	if err != nil {
		return fmt.Errorf("make the socket of terminals: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	context.AfterFunc(ctx, func() { _ = lis.Close() })
	gone := make(chan struct{}) // closed when the terminal before has ended
	close(gone)
	drop := func() {}
	for {
		c, err := lis.AcceptUnix()
		if err != nil {
			drop()
			<-gone
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept terminals: %w", err)
		}
		if peer, err := wire.PeerOf(c); err != nil || peer.UID != 0 {
			o.OnLine(fmt.Sprintf("only root may be the terminal, not user %d (%v)", peer.UID, err))
			_ = c.Close()
			continue
		}
		drop()
		<-gone
		gone = make(chan struct{})
		var one context.Context
		one, drop = context.WithCancel(ctx)
		t := &terminal{o: o, h: h, c: c}
		go func() {
			defer close(gone)
			if err := t.serve(one); err != nil && one.Err() == nil {
				o.OnLine("terminal: " + err.Error())
			}
		}()
	}
}

// terminal is who is connected.
type terminal struct {
	o Options
	h *hub.Hub
	c *net.UnixConn

	mu  sync.Mutex // of frames that are sent
	buf []byte
}

// serve tells the terminal all, and then what changes, until it goes.
func (t *terminal) serve(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer func() { _ = t.c.Close() }()
	context.AfterFunc(ctx, func() { _ = t.c.Close() })
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		stop(t.listen(ctx))
	}()
	err := t.tell(ctx)
	stop(err)
	<-heard
	if cause := context.Cause(ctx); !errors.Is(cause, io.EOF) && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// tell sends what changes.
func (t *terminal) tell(ctx context.Context) error {
	w := t.h.Watch()
	defer w.Close()
	v, pause := newView(t.o.Server), time.NewTimer(pace)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.C():
		}
		for _, m := range v.news(w.Topics()) {
			if err := t.send(m); err != nil {
				return err
			}
		}
		pause.Reset(pace)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-pause.C:
		}
	}
}

// listen carries requests out, one after the other.
func (t *terminal) listen(ctx context.Context) error {
	for {
		b, err := readFrame(t.c)
		if err != nil {
			return err
		}
		q, err := readRequest(b)
		if err != nil && q.id == nil {
			t.o.OnLine("terminal: " + err.Error())
			continue // nobody can be answered
		}
		text := ""
		if err != nil {
			text = err.Error()
		} else {
			text = t.ask(ctx, q)
		}
		if err := t.send(response(*q.id, text)); err != nil {
			return err
		}
	}
}

// ask has a request carried out and returns why it was not; empty if it was.
func (t *terminal) ask(ctx context.Context, q request) string {
	ctx, stop := context.WithTimeout(ctx, answerWithin)
	defer stop()
	a, err := t.o.Ask(ctx, q.seen)
	switch {
	case err != nil:
		return err.Error()
	case a.OK:
		return ""
	case a.Text == "":
		return "refused"
	}
	return a.Text
}

// send sends a message. A terminal that does not read is dropped.
func (t *terminal) send(m message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	if t.buf, err = appendFrame(t.buf[:0], m); err != nil {
		return err
	}
	if err := t.c.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return err
	}
	if _, err := t.c.Write(t.buf); err != nil {
		return fmt.Errorf("send %s: %w", m.Type, err)
	}
	return nil
}
