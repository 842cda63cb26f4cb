package join

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
)

// Waits between attempts to reach a hub that is not there; each is twice the one before.
const (
	firstWait = 5 * time.Millisecond
	maxWait   = 320 * time.Millisecond
)

// connect waits for the hub and says hello.
func (p *process) connect(ctx context.Context) (*wire.Conn, wire.Welcome, error) {
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		conn, w, err := p.hello(ctx)
		if err == nil || !isAway(err) || ctx.Err() != nil {
			return conn, w, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, w, fmt.Errorf("join %s: %w", p.o.Socket, context.Cause(ctx))
		}
	}
}

// isAway reports whether an error means that the hub is not there, or went while it was asked.
func isAway(err error) bool { return !errors.Is(err, ErrRefused) }

// hello connects, says who is there and hears the welcome.
func (p *process) hello(ctx context.Context) (*wire.Conn, wire.Welcome, error) {
	var w wire.Welcome
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", p.o.Socket)
	if err != nil {
		return nil, w, fmt.Errorf("join: %w", err)
	}
	conn := wire.NewConn(c.(*net.UnixConn))
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	m := wire.Hello{Protocol: wire.Protocol, Life: p.life}
	for _, e := range p.o.Agents {
		m.Agents = append(m.Agents, e.Name)
	}
	for _, t := range p.subs {
		m.Subs = append(m.Subs, t.decl.String())
	}
	for _, t := range p.pubs {
		m.Pubs = append(m.Pubs, wire.Pub{Topic: t.decl.String(), Life: t.decl.Life,
			MaxRows: t.decl.MaxRows, MaxBytes: t.decl.MaxBytes})
	}
	for _, o := range p.w.Ops {
		m.Ops = append(m.Ops, o.Name)
	}
	b, err := json.Marshal(m)
	if err == nil {
		err = conn.Write(wire.Frame(nil, wire.KindHello, b))
	}
	var kind wire.Kind
	if err == nil || errors.Is(err, syscall.EPIPE) {
		kind, b, err = conn.Read()
	}
	if err == nil && kind != wire.KindWelcome {
		err = fmt.Errorf("the first frame is of kind %q", kind)
	}
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err == nil && w.Refused != "" {
		err = fmt.Errorf("%w: %s", ErrRefused, w.Refused)
	}
	if err != nil {
		_ = conn.Close()
		return nil, w, fmt.Errorf("join %s: %w", p.o.Socket, err)
	}
	return conn, w, nil
}

// first takes the first state, before there is a kernel to show it to.
func (p *process) first(conn *wire.Conn) error {
	st, err := p.state(conn)
	if err != nil {
		return fmt.Errorf("join %s: %w", p.o.Socket, err)
	}
	p.skew = st.Skew
	for i := range st.Tables {
		if t := p.at(st.Tables[i].Topic); t != nil {
			t.take(&st.Tables[i], false)
		}
	}
	return nil
}

// at is the table of a number in the session.
func (p *process) at(i int) *table {
	switch n := len(p.subs); {
	case i < 0 || i >= n+len(p.pubs):
		return nil
	case i < n:
		return p.subs[i]
	default:
		return p.pubs[i-n]
	}
}

// state reads the next state.
func (p *process) state(conn *wire.Conn) (wire.State, error) {
	kind, body, err := conn.Read()
	if err != nil {
		return wire.State{}, err
	}
	if kind != wire.KindState {
		return wire.State{}, fmt.Errorf("a frame is of kind %q", kind)
	}
	return wire.ReadState(body)
}

// serve reads and writes over a connection until it breaks or ctx ends.
func (p *process) serve(ctx context.Context, conn *wire.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	done, written := make(chan struct{}), make(chan struct{})
	p.out.reset(conn)
	var asked atomic.Bool
	again := func() {
		if asked.CompareAndSwap(false, true) {
			p.dev.Post(func() { asked.Store(false); p.tell() })
		}
	}
	go func() {
		defer close(written)
		p.out.write(conn, done, again)
	}()
	again()
	err := p.read(conn)
	_ = conn.Close()
	p.out.reset(nil)
	close(done)
	<-written
	return err
}

// read takes states until the connection breaks.
func (p *process) read(conn *wire.Conn) error {
	for {
		st, err := p.state(conn)
		if err != nil {
			return err
		}
		list := make([]moved, 0, len(st.Tables))
		for i := range st.Tables {
			t := p.at(st.Tables[i].Topic)
			if t == nil || t.own || !t.take(&st.Tables[i], true) {
				continue
			}
			list = append(list, moved{t.decl, t.head, t.fresh})
			t.fresh = nil
		}
		p.dev.Post(func() { p.arrive(list, &st) })
	}
}

func (p *process) setClock(skew int64) {
	p.skew = skew
	p.dev.SetClock(time.Duration(skew))
}

// sinceBoot is the time since the machine booted.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("join: read CLOCK_BOOTTIME: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
