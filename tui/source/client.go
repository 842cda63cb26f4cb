package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// redial is how long a client waits before it dials once more.
const redial = 2 * time.Second

// errRefused tells that a server will not have this client, now or later.
var errRefused = errors.New("refused")

// errGone is the end of a connection without any trouble on the way.
var errGone = errors.New("the device is gone or has dropped this terminal")

// DialOptions say how to look at a device.
type DialOptions struct {
	// Write asks for the right to make requests.
	Write bool
	// Redial is how long to wait between tries to come back; 0 means 2 s.
	Redial time.Duration
}

// Client is a Source at the other end of a socket. When the connection breaks it says so in a batch
// and goes on trying until it is back, with a snapshot. Next is for one goroutine; answers to Do
// come in while it waits, so Do returns only while somebody is in Next.
type Client struct {
	path  string
	o     DialOptions
	types registry

	in   wireReader
	lost bool
	link *Link // to be told with the next batch

	mu   sync.Mutex
	conn net.Conn // nil while the connection is lost
	out  *wireWriter
	asks map[uint64]chan error
	last uint64
}

// Dial opens the socket at path.
func Dial(ctx context.Context, path string, o DialOptions) (*Client, error) {
	if o.Redial == 0 {
		o.Redial = redial
	}
	c := &Client{path: path, o: o, types: known(), asks: map[uint64]chan error{}}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// connect opens the connection and exchanges hellos.
func (c *Client) connect(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.path)
	if err != nil {
		return fmt.Errorf("connect to device at %s: %w", c.path, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(helloFor)) // a connection that is gone fails below
	out := &wireWriter{c: conn, stall: stallFor}
	in := newWireReader(conn, maxFrame)
	err = out.send(frame{Hello: &hello{Protocol: Protocol, Write: c.o.Write}})
	var f *frame
	if err == nil {
		f, err = in.read()
	}
	if err == nil {
		err = f.Hello.refusal()
	}
	if err != nil {
		conn.Close()
		return fmt.Errorf("greet device at %s: %w", c.path, err)
	}
	_ = conn.SetDeadline(time.Time{})
	c.in, c.lost = in, false
	c.link = &Link{Write: f.Hello.Write, Why: f.Hello.Why}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.out = conn, out
	return nil
}

// refusal is why a server will not have the client, nil if it will.
func (h *hello) refusal() error {
	switch {
	case h == nil:
		return errors.New("it is no device: no greeting came")
	case h.Refused:
		return fmt.Errorf("%w: %s", errRefused, h.Why)
	case h.Protocol != Protocol:
		return fmt.Errorf("%w: it speaks version %d, this terminal %d", errRefused, h.Protocol,
			Protocol)
	}
	return nil
}

// Next waits for the next batch; see Source.
func (c *Client) Next(ctx context.Context) (*Batch, error) {
	for c.lost {
		if err := c.comeBack(ctx); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	for {
		f, err := c.in.read()
		switch {
		case ctx.Err() != nil:
			c.drop(ctx.Err())
			return nil, ctx.Err()
		case err != nil:
			if errors.Is(err, io.EOF) {
				err = errGone
			}
			c.drop(err)
			return &Batch{At: time.Now(), Link: &Link{Lost: true, Why: err.Error()}}, nil
		case f.Answer != nil:
			c.answered(f.Answer)
		case f.Batch != nil:
			b := f.Batch.unpack(c.types, time.Now())
			b.Link, c.link = c.link, nil
			return b, nil
		}
	}
}

// comeBack waits and dials once; what fails is tried again.
func (c *Client) comeBack(ctx context.Context) error {
	t := time.NewTimer(c.o.Redial)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	}
	if err := c.connect(ctx); errors.Is(err, errRefused) {
		return err
	}
	return ctx.Err()
}

// drop gives a broken connection up, and with it all that was asked over it.
func (c *Client) drop(why error) {
	c.lost = true
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn.Close()
	}
	c.conn, c.out = nil, nil
	for id, done := range c.asks {
		done <- fmt.Errorf("the connection is lost: %w", why)
		delete(c.asks, id)
	}
}

func (c *Client) answered(a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := c.asks[a.ID]
	if done == nil {
		return
	}
	delete(c.asks, a.ID)
	if a.OK {
		done <- nil
		return
	}
	done <- errors.New(a.Error)
}

// Do asks the device for something; see Source.
func (c *Client) Do(ctx context.Context, r Request) error {
	if err := r.Check(); err != nil {
		return err
	}
	done := make(chan error, 1)
	c.mu.Lock()
	out := c.out
	if out == nil {
		c.mu.Unlock()
		return fmt.Errorf("request %s: the connection is lost", r)
	}
	c.last++
	id := c.last
	c.asks[id] = done
	c.mu.Unlock()
	if err := out.send(frame{Ask: &ask{id, r}}); err != nil {
		return fmt.Errorf("request %s: %w", r, err)
	}
	select {
	case err := <-done:
		return err // the device's own words
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.asks, id)
		c.mu.Unlock()
		return fmt.Errorf("request %s: %w", r, ctx.Err())
	}
}

// Close ends the connection; nobody may be in Next.
func (c *Client) Close() error {
	c.drop(net.ErrClosed)
	return nil
}

var _ Source = (*Client)(nil)
