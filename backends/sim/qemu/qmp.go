package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// commandLimit ends a monitor command that its caller gave no shorter limit.
const commandLimit = 10 * time.Second

// ErrMonitorClosed says that QEMU has closed its monitor, usually because it has ended.
var ErrMonitorClosed = errors.New("monitor is closed")

// Event is something QEMU tells by itself.
type Event struct {
	// Name is QMP's name of it: SHUTDOWN, POWERDOWN, STOP, RESUME, RESET ...
	Name string
	// Data is its JSON object; nil for events without one.
	Data json.RawMessage
	// At is the time QEMU gives it.
	At time.Time
}

// CommandError is QEMU's refusal of a command.
type CommandError struct {
	// Class is QMP's error class, for example GenericError.
	Class string `json:"class"`
	// Desc is its sentence.
	Desc string `json:"desc"`
}

// Error returns QEMU's sentence.
func (e *CommandError) Error() string { return e.Desc }

// Client speaks QMP, QEMU's monitor protocol, over a connection. Its methods may be called from
// several goroutines.
type Client struct {
	conn    net.Conn
	onEvent func(Event)

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan answer
	closed  error
	done    chan struct{}
}

// answer is the end of one command.
type answer struct {
	result json.RawMessage
	err    error
}

// message is anything QEMU sends.
type message struct {
	QMP       json.RawMessage `json:"QMP"`
	ID        *uint64         `json:"id"`
	Return    json.RawMessage `json:"return"`
	Error     *CommandError   `json:"error"`
	Event     string          `json:"event"`
	Data      json.RawMessage `json:"data"`
	Timestamp struct {
		Seconds      int64 `json:"seconds"`
		Microseconds int64 `json:"microseconds"`
	} `json:"timestamp"`
}

// request is a command as it is sent.
type request struct {
	Execute   string `json:"execute"`
	Arguments any    `json:"arguments,omitempty"`
	ID        uint64 `json:"id"`
}

// NewClient takes over a fresh monitor connection, negotiates, and from then on calls onEvent
// for every event in the order QEMU sends them. onEvent runs on the reading goroutine: it must
// return soon and must not call Execute. On error the connection is closed.
func NewClient(ctx context.Context, conn net.Conn, onEvent func(Event)) (*Client, error) {
	c := &Client{
		conn: conn, onEvent: onEvent,
		waiting: map[uint64]chan answer{}, done: make(chan struct{}),
	}
	greeted := make(chan struct{})
	go c.read(greeted)
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	var err error
	select {
	case <-greeted:
		err = c.Execute(ctx, "qmp_capabilities", nil, nil)
	case <-c.done:
		err = c.closed
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("greet the monitor: %w", err)
	}
	return c, nil
}

// Execute runs a command and waits for its end, 10 s at most. Arguments become the command's
// JSON object, nil means none; the answer is decoded into result unless that is nil.
func (c *Client) Execute(ctx context.Context, command string, arguments, result any) error {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	id, wait, err := c.send(ctx, command, arguments)
	if err != nil {
		return fmt.Errorf("monitor command %s: %w", command, err)
	}
	select {
	case got := <-wait:
		if got.err == nil && result != nil {
			got.err = json.Unmarshal(got.result, result)
		}
		if got.err != nil {
			return fmt.Errorf("monitor command %s: %w", command, got.err)
		}
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
		return fmt.Errorf("monitor command %s: %w", command, ctx.Err())
	}
}

func (c *Client) send(
	ctx context.Context, command string, arguments any,
) (uint64, <-chan answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != nil {
		return 0, nil, c.closed
	}
	c.next++
	line, err := json.Marshal(request{Execute: command, Arguments: arguments, ID: c.next})
	if err != nil {
		return 0, nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.conn.SetWriteDeadline(deadline)
	}
	wait := make(chan answer, 1)
	c.waiting[c.next] = wait
	if _, err := c.conn.Write(append(line, '\n')); err != nil {
		delete(c.waiting, c.next)
		return 0, nil, err
	}
	return c.next, wait, nil
}

// read takes in messages until the connection ends, and then fails all that wait.
func (c *Client) read(greeted chan<- struct{}) {
	decoder := json.NewDecoder(c.conn)
	var err error
	for {
		var m message
		if err = decoder.Decode(&m); err != nil {
			break
		}
		switch {
		case m.QMP != nil && greeted != nil:
			close(greeted)
			greeted = nil
		case m.Event != "":
			at := time.Unix(m.Timestamp.Seconds, m.Timestamp.Microseconds*int64(time.Microsecond))
			if c.onEvent != nil {
				c.onEvent(Event{Name: m.Event, Data: m.Data, At: at})
			}
		case m.ID != nil:
			c.answer(*m.ID, m)
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		err = ErrMonitorClosed
	} else {
		err = fmt.Errorf("%w: %w", ErrMonitorClosed, err)
	}
	_ = c.conn.Close()
	c.mu.Lock()
	c.closed = err
	for id, wait := range c.waiting {
		delete(c.waiting, id)
		wait <- answer{err: err}
	}
	c.mu.Unlock()
	close(c.done)
}

func (c *Client) answer(id uint64, m message) {
	c.mu.Lock()
	wait := c.waiting[id]
	delete(c.waiting, id)
	c.mu.Unlock()
	if wait == nil {
		return // its caller has given up
	}
	if m.Error != nil {
		wait <- answer{err: m.Error}
		return
	}
	wait <- answer{result: m.Return}
}

// Done returns a channel that is closed when the monitor is: no event comes after that.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close closes the connection and waits for the reading goroutine.
func (c *Client) Close() error {
	err := c.conn.Close()
	<-c.done
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close monitor: %w", err)
	}
	return nil
}
