package source

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/node"
)

// note is a row of a topic that the terminal does not know: an agent's private memory.
type note struct{ Name, Text string }

func (n note) Key() string { return n.Name }

// private is such a topic.
func private() bus.Topic[note] {
	return bus.NewTopic[note](bus.Decl{Owner: "nim", Name: "Trial", Life: bus.Local})
}

// socket is a short path: a unix socket's may not be long.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tui")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve serves a feed until the test ends or stop is called, which waits for the end.
func serve(t *testing.T, ln net.Listener, f *Feed, o ServeOptions) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, f, o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func dial(t *testing.T, path string, o DialOptions) *Client {
	t.Helper()
	c, err := Dial(soon(t), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestSocketSnapshotThenChanges(t *testing.T) {
	k, f, path := newKernel(), NewFeed(FeedOptions{}), socket(t)
	trial := private()
	put(k, node.Client, client("certs"))
	put(k, trial, note{"eth0", "testing"})
	for i := range 3 * rowsPerFrame {
		put(k, content.Blobs, content.BlobStatus{Sha256: fmt.Sprintf("%064d", i)})
	}
	f.Line("nim", time.Second, agent.Line{Level: agent.Warn, About: "eth0", Text: "no carrier"})
	f.Sync(k, []Agent{{Name: "nim", Turns: 3, Health: Slow, Why: "spins"}})
	serve(t, listen(t, path), f, ServeOptions{})
	c, s := dial(t, path, DialOptions{}), NewState()
	blobs := func() int { return names(s)["volumemgr/BlobStatus"] }
	until(t, c, s, func() bool { return blobs() == 3*rowsPerFrame && len(s.Tables) == 3 })
	if s.Agents[0].Why != "spins" || s.Lines[0].Level != agent.Warn || s.Link.Write || s.Changes != 0 {
		t.Errorf("agents %+v, lines %+v, link %+v, %d changes", s.Agents, s.Lines, s.Link, s.Changes)
	}
	if got := Get(s, node.Client, "global"); got == nil || got.Step != "certs" {
		t.Errorf("a topic that is known has its type: %+v", got)
	}
	row := s.Table("nim/Trial").Row("eth0")
	if raw, ok := row.Val.(json.RawMessage); !ok ||
		string(raw) != `{"Name":"eth0","Text":"testing"}` || row.Rev != 1<<32+1 {
		t.Errorf("another stays JSON: %+v", row)
	}
	put(k, node.Client, client("done"))
	without(k, trial, "eth0")
	f.Sync(k, nil)
	until(t, c, s, func() bool {
		return Get(s, node.Client, "global").Step == "done" && names(s)["nim/Trial"] == 0
	})
	if s.Changes != 2 {
		t.Errorf("%d changes", s.Changes)
	}
}

func TestSocketComesBackWithASnapshot(t *testing.T) {
	k, f, path := newKernel(), NewFeed(FeedOptions{}), socket(t)
	put(k, node.Client, client("certs"))
	f.Sync(k, nil)
	stop := serve(t, listen(t, path), f, ServeOptions{})
	c, s := dial(t, path, DialOptions{Redial: time.Millisecond}), NewState()
	until(t, c, s, func() bool { return len(s.Tables) == 1 })
	stop()
	until(t, c, s, func() bool { return s.Link.Lost })
	if len(s.Tables) != 1 || s.Link.Why == "" {
		t.Errorf("what was seen stays: %v, %+v", names(s), s.Link)
	}
	if err := c.Do(soon(t), Request{Verb: Reboot}); err == nil {
		t.Error("a request without a connection succeeds")
	}
	f, k = NewFeed(FeedOptions{}), newKernel()
	put(k, node.LedShown, node.LedStatus{BlinkCounter: 4})
	f.Sync(k, nil)
	serve(t, listen(t, path), f, ServeOptions{})
	until(t, c, s, func() bool { return !s.Link.Lost && len(s.Tables) > 0 })
	if got := names(s); len(got) != 1 || got["ledmanager/LedStatus"] != 1 {
		t.Errorf("back with %v", got)
	}
}

func TestSocketRequests(t *testing.T) {
	var mu sync.Mutex
	var got []Request
	f := NewFeed(FeedOptions{Act: func(_ context.Context, r Request) error {
		mu.Lock()
		defer mu.Unlock()
		if got = append(got, r); r.Verb == PowerOff {
			return errors.New("the plant is running")
		}
		return nil
	}})
	f.Sync(newKernel(), nil)
	path := socket(t)
	serve(t, listen(t, path), f, ServeOptions{Write: true})
	first, second := dial(t, path, DialOptions{Write: true}), dial(t, path, DialOptions{Write: true})
	s1, s2 := NewState(), NewState()
	until(t, first, s1, func() bool { return s1.Device.Name != "" })
	until(t, second, s2, func() bool { return s2.Device.Name != "" })
	if !s1.Link.Write || s2.Link.Write || !strings.Contains(s2.Link.Why, "another terminal") {
		t.Errorf("first %+v, second %+v", s1.Link, s2.Link)
	}
	ctx, cancel := context.WithCancel(soon(t))
	var reading sync.WaitGroup
	for _, c := range []*Client{first, second} { // answers come in while somebody reads
		reading.Go(func() {
			for {
				if _, err := c.Next(ctx); err != nil {
					return
				}
			}
		})
	}
	for _, x := range []struct {
		c    *Client
		r    Request
		want string
	}{
		{first, Request{Verb: RestartAgent, Target: "nim"}, ""},
		{first, Request{Verb: PowerOff}, "the plant is running"},
		{first, Request{Verb: PullCable}, "needs a target"},
		{second, Request{Verb: Reboot}, "only shows"},
	} {
		err := x.c.Do(ctx, x.r)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.r, err, x.want)
		}
	}
	cancel()
	reading.Wait()
	if len(got) != 2 {
		t.Errorf("carried out: %v", got)
	}
}

func TestRightToWriteIsGivenOn(t *testing.T) {
	s := &server{o: ServeOptions{Write: true}}
	ask := &hello{Protocol: Protocol, Write: true}
	if may, _ := s.admit(ask); may != writer {
		t.Fatalf("the first is %v", may)
	}
	if may, why := s.admit(ask); may != looker || why == "" {
		t.Fatalf("the second is %v", may)
	}
	s.leave(looker)
	s.leave(writer)
	if may, _ := s.admit(ask); may != writer {
		t.Fatalf("the next is %v", may)
	}
	for s.clients < maxClients {
		s.admit(&hello{Protocol: Protocol})
	}
	if may, _ := s.admit(ask); may != refused {
		t.Fatalf("one too many is %v", may)
	}
	if may, why := s.admit(&hello{Protocol: 2}); may != refused || !strings.Contains(why, "version") {
		t.Fatalf("another version is %v: %s", may, why)
	}
}

func TestDialSaysWhatIsWrong(t *testing.T) {
	if _, err := Dial(soon(t), socket(t), DialOptions{}); err == nil ||
		!strings.Contains(err.Error(), "connect to device") {
		t.Errorf("nobody there: %v", err)
	}
	path := socket(t)
	ln := listen(t, path)
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(c, `{"hello":{"evetwin":9}}`)
			c.Close()
		}
	}()
	if _, err := Dial(soon(t), path, DialOptions{}); !errors.Is(err, errRefused) &&
		!strings.Contains(fmt.Sprint(err), "broken pipe") {
		t.Errorf("another version: %v", err)
	}
}

// pipes is a listener of connections without any buffer, which tells when one was closed.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	gone   chan struct{}
}

type pipe struct {
	net.Conn
	l *pipes
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return pipe{c, p}, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.gone) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (c pipe) Close() error {
	select {
	case c.l.closed <- struct{}{}:
	default:
	}
	return c.Conn.Close()
}

func TestClientThatTakesNothingIsDropped(t *testing.T) {
	ln := &pipes{conns: make(chan net.Conn, 2), closed: make(chan struct{}, 1),
		gone: make(chan struct{})}
	k, f := newKernel(), NewFeed(FeedOptions{})
	put(k, node.Client, client("certs"))
	f.Sync(k, nil)
	serve(t, ln, f, ServeOptions{Stall: 30 * time.Millisecond})
	near, far := net.Pipe()
	ln.conns <- far
	fmt.Fprintln(near, `{"hello":{"evetwin":1}}`)
	greeting, err := bufio.NewReaderSize(near, 16).ReadString('}')
	if err != nil || !strings.Contains(greeting, `"evetwin":1`) {
		t.Fatalf("%q, %v", greeting, err)
	}
	// Now it takes nothing. Others are served, and the feed goes on.
	r, s := f.Open(), NewState()
	defer r.Close()
	put(k, node.Client, client("done"))
	f.Sync(k, nil)
	until(t, r, s, func() bool {
		c := Get(s, node.Client, "global")
		return c != nil && c.Step == "done"
	})
	select {
	case <-ln.closed:
	case <-soon(t).Done():
		t.Fatal("the client that takes nothing is still there")
	}
	if _, err := io.ReadAll(near); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the end of the connection: %v", err)
	}
}

func TestServerBearsNonsense(t *testing.T) {
	f, path := NewFeed(FeedOptions{}), socket(t)
	f.Sync(newKernel(), nil)
	serve(t, listen(t, path), f, ServeOptions{Write: true})
	for _, text := range []string{"", "\n", "{}\n", "GET / HTTP/1.1\r\n\r\n",
		`{"hello":{"evetwin":7}}` + "\n",
		strings.Repeat("x", 2*maxAsk) + "\n",
		`{"hello":{"evetwin":1,"write":true}}` + "\n" + `{"ask":{"id":1}}` + "\nnonsense\n"} {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, text)
		_ = c.(*net.UnixConn).CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, err = io.Copy(io.Discard, c)
		if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
			t.Errorf("%.20q: the connection stays", text)
		}
		c.Close()
	}
	c, s := dial(t, path, DialOptions{Write: true}), NewState()
	until(t, c, s, func() bool { return s.Device.Name != "" })
}
