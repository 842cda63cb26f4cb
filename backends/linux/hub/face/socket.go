package face

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/bus"
)

// maxMessage is EVE's limit of a datagram.
const maxMessage = 65535

// requestWithin is how long a subscriber may take to say what it wants.
const requestWithin = 10 * time.Second

// listener is a socket to subscribe at.
type listener struct {
	s            *server
	lis          *net.UnixListener
	agent, topic string
}

func (s *server) newListener(path, agent, topic string) (*listener, error) {
	lis, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		return nil, err
	}
	l := &listener{s, lis, agent, topic}
	s.conns.Add(1)
	go l.accept()
	return l, nil
}

// accept takes subscribers until the socket closes.
func (l *listener) accept() {
	defer l.s.conns.Done()
	for {
		c, err := l.lis.AcceptUnix()
		if err != nil {
			return
		}
		l.s.conns.Add(1)
		go func() {
			defer l.s.conns.Done()
			defer func() { _ = c.Close() }()
			if err := l.serve(c); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				l.s.o.OnLine(fmt.Sprintf("subscriber at %s: %v", l.lis.Addr(), err))
			}
		}()
	}
}

// serve has a subscriber from its request on.
func (l *listener) serve(c *net.UnixConn) error {
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-l.s.ctx.Done():
			_ = c.Close()
		case <-ended:
		}
	}()
	peer, err := wire.PeerOf(c)
	if err == nil && peer.UID != 0 {
		err = fmt.Errorf("only root may subscribe, not user %d", peer.UID)
	}
	if err != nil {
		return err
	}
	topic, err := l.request(c)
	if err != nil {
		return err
	}
	more := make(chan error, 1)
	go func() { more <- beyond(c) }()
	f := &feed{c: c, name: l.agent + "/" + topic, topic: topic, line: l.s.o.OnLine}
	return f.run(l.s.h, more)
}

// request reads what the subscriber wants.
func (l *listener) request(c *net.UnixConn) (topic string, err error) {
	if err := c.SetReadDeadline(time.Now().Add(requestWithin)); err != nil {
		return "", err
	}
	b := make([]byte, maxMessage)
	n, err := c.Read(b)
	if err != nil {
		return "", err
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return "", err
	}
	f := strings.Fields(string(b[:n]))
	if len(f) != 2 || f[0] != "request" || l.topic != "" && f[1] != l.topic {
		return "", fmt.Errorf("it asked %q", b[:min(n, 80)])
	}
	return f[1], nil
}

// beyond waits for the end of a subscriber, or for it to say more than it may.
func beyond(c *net.UnixConn) error {
	n, err := c.Read(make([]byte, 80))
	if err != nil || n == 0 {
		return io.EOF
	}
	return errors.New("it says more than its request; subscribers cannot publish")
}

// feed is what one subscriber is sent.
type feed struct {
	c           *net.UnixConn
	name, topic string
	line        func(string)
	rows        bus.Head
	restarts    int
	begun       bool
}

// run sends the table and what moves in it, until the subscriber goes.
func (f *feed) run(h *hub.Hub, more <-chan error) error {
	w := h.Watch()
	defer w.Close()
	for {
		select {
		case err := <-more:
			return err
		case <-w.C():
		}
		t, ok := w.Topic(f.name)
		if !ok {
			return fmt.Errorf("there is no topic %s", f.name)
		}
		if err := f.send(&t); err != nil {
			return err
		}
	}
}

// send brings the subscriber to where the table is: deletions, rows, then the counter, which stands
// for rows that were there before it.
func (f *feed) send(t *hub.Topic) error {
	if f.begun && t.Rows.Same(f.rows) && t.Restarts == f.restarts {
		return nil
	}
	var b messages
	if !f.begun {
		b.add("hello", f.topic, strconv.FormatBool(t.Life == bus.Persistent))
	}
	for key, v := range t.Rows.Since(f.rows) {
		if v == nil {
			b.add("delete", f.topic, encode([]byte(key)))
		}
	}
	for key, v := range t.Rows.Since(f.rows) {
		if v != nil && !b.add("update", f.topic, encode([]byte(key)), encode(v.(*hub.Row).JSON)) {
			f.line(fmt.Sprintf("%s/%s is too large for a datagram and not sent", f.name, key))
		}
	}
	if !f.begun {
		b.add("complete", f.topic)
	}
	if t.Restarts != f.restarts {
		b.add("restarted", f.topic, strconv.Itoa(t.Restarts))
	}
	f.rows, f.restarts, f.begun = t.Rows, t.Restarts, true
	for _, m := range b {
		if _, err := f.c.Write([]byte(m)); err != nil {
			return err
		}
	}
	return nil
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// messages are datagrams.
type messages []string

// add adds a message of fields and reports whether it fits.
func (m *messages) add(fields ...string) bool {
	s := strings.Join(fields, " ")
	if len(s) > maxMessage {
		return false
	}
	*m = append(*m, s)
	return true
}
