package farm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// Patience is how long a lost server is tried again before an exploration or a worker gives up.
	Patience = 60 * time.Second
	// dialLimit is how long the first connection may take, and a request.
	dialLimit = 5 * time.Second
	// retryWait is the time between two tries.
	retryWait = 250 * time.Millisecond
)

// DialOptions of a connection.
type DialOptions struct {
	// Place is where the server is; Server is one of this process instead.
	Place  *Place
	Server *Server
	// Patience is how long a lost server is tried again; 0 means Patience.
	Patience time.Duration
	// Say is told when the server is lost and when it is back; may be nil.
	Say func(text string)
}

// Conn is a connection to the server of a farm.
type Conn struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	where    string
	patience time.Duration
	say      func(text string)
	// lost ends, with the reason, when the server is given up.
	lost   context.Context
	giveUp context.CancelCauseFunc
	back   chan struct{} // gets one when the server is back

	mu    sync.Mutex
	timer *time.Timer
}

// Dial connects to the server of a farm.
func Dial(o DialOptions) (*Conn, error) {
	c := &Conn{patience: o.Patience, say: o.Say, back: make(chan struct{}, 1)}
	if c.patience == 0 {
		c.patience = Patience
	}
	if c.say == nil {
		c.say = func(string) {}
	}
	c.lost, c.giveUp = context.WithCancelCause(context.Background())
	url := ""
	if o.Server != nil {
		url = o.Server.URL("")
		c.where = o.Server.place.String()
	} else {
		url, c.where = o.Place.URL, o.Place.String()
	}
	list := []nats.Option{nats.Name("evetwin"), nats.Timeout(dialLimit), nats.MaxReconnects(-1),
		nats.ReconnectWait(retryWait), nats.ReconnectJitter(retryWait, retryWait),
		nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(c.disconnected), nats.ReconnectHandler(c.reconnected),
		nats.ClosedHandler(c.closed), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}
	if o.Server != nil {
		list = append(list, nats.InProcessServer(o.Server.nats))
	}
	var err error
	if c.nc, err = nats.Connect(url, list...); err != nil {
		if errors.Is(err, nats.ErrNoServers) {
			err = errors.New("no server answers there")
		}
		return nil, fmt.Errorf("connect to the farm at %s: %w", c.where, err)
	}
	if c.js, err = jetstream.New(c.nc, jetstream.WithDefaultTimeout(dialLimit)); err == nil {
		ctx, stop := context.WithTimeout(context.Background(), dialLimit)
		defer stop()
		_, err = c.js.AccountInfo(ctx)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("use JetStream of the farm at %s (nats-server needs -js): %w", c.where,
			err)
	}
	return c, nil
}

// Close ends the connection.
func (c *Conn) Close() { c.nc.Close() }

// String is where the server is, without credentials.
func (c *Conn) String() string { return c.where }

func (c *Conn) disconnected(_ *nats.Conn, err error) {
	if c.nc.IsClosed() {
		return
	}
	if err == nil {
		err = errors.New("connection closed")
	}
	c.say(fmt.Sprintf("the farm at %s is away (%v), trying again for %v", c.where, err, c.patience))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil {
		c.timer = time.AfterFunc(c.patience, func() {
			c.giveUp(fmt.Errorf("the farm at %s is lost: it does not answer for %v: %w", c.where,
				c.patience, err))
			c.nc.Close()
		})
	}
}

func (c *Conn) reconnected(*nats.Conn) {
	c.mu.Lock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.mu.Unlock()
	c.say(fmt.Sprintf("the farm at %s is back", c.where))
	select {
	case c.back <- struct{}{}:
	default:
	}
}

func (c *Conn) closed(*nats.Conn) {
	c.mu.Lock()
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	err := c.nc.LastError()
	if err == nil {
		err = nats.ErrConnectionClosed
	}
	c.giveUp(fmt.Errorf("the farm at %s is lost: %w", c.where, err)) // unless a reason stands already
}

// bind is a context that also ends when the server is given up.
func (c *Conn) bind(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	stop := context.AfterFunc(c.lost, func() { cancel(context.Cause(c.lost)) })
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// persist tries something again while the server does not answer, as long as patience lasts. It
// must be safe to repeat.
func (c *Conn) persist(ctx context.Context, do func(ctx context.Context) error) error {
	for end := time.Now().Add(c.patience); ; {
		once, stop := context.WithTimeout(ctx, dialLimit)
		err := do(once)
		stop()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, nats.ErrConnectionClosed) {
			return c.reason()
		}
		if !passing(err) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(retryWait):
		}
	}
}

// reason is why the connection was closed.
func (c *Conn) reason() error {
	<-c.lost.Done() // a little later than the connection
	return context.Cause(c.lost)
}

// passing reports whether an error is one of a server that may be back soon.
func passing(err error) bool {
	for _, e := range []error{context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders,
		nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrConnectionReconnecting,
		jetstream.ErrNoStreamResponse, jetstream.ErrNoHeartbeat} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
