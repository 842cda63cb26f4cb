package source

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// helloFor bounds how long a client may take to say hello.
	helloFor = 5 * time.Second
	// stallFor bounds how long a client may take no bytes: then it is dropped, and gets a snapshot
	// when it comes back.
	stallFor = 10 * time.Second
	// actFor bounds a request.
	actFor = 30 * time.Second
	// maxClients bounds how many may look at once.
	maxClients = 16
)

// ServeOptions say what the clients of a socket may do.
type ServeOptions struct {
	// Write lets one client at a time make requests; otherwise all are refused.
	Write bool
	// Stall is how long a client may take no bytes before it is dropped; 0 means 10 s.
	Stall time.Duration
}

// server is the state that the clients of one socket share.
type server struct {
	f       *Feed
	o       ServeOptions
	mu      sync.Mutex
	writing bool // a client has the right to write
	clients int
}

// Serve lets terminals look at a feed through a listener, usually a unix socket, until ctx ends.
// Each gets a snapshot, then changes. It closes the listener and returns when all clients are
// gone.
func Serve(ctx context.Context, ln net.Listener, f *Feed, o ServeOptions) error {
	if o.Stall == 0 {
		o.Stall = stallFor
	}
	s := &server{f: f, o: o}
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		c, err := ln.Accept()
		if err != nil {
			ln.Close()
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept terminals on %s: %w", ln.Addr(), err)
		}
		clients.Go(func() { s.client(ctx, c) })
	}
}

// client serves one connection.
func (s *server) client(ctx context.Context, c net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	in := newWireReader(c, maxAsk)
	_ = c.SetReadDeadline(time.Now().Add(helloFor)) // a connection that is gone fails to read
	first, err := in.read()
	if err != nil || first.Hello == nil {
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	out := &wireWriter{c: c, stall: s.o.Stall}
	may, why := s.admit(first.Hello)
	defer s.leave(may)
	greet := &hello{Protocol: Protocol, Write: may == writer, Refused: may == refused, Why: why}
	if out.send(frame{Hello: greet}) != nil || may == refused {
		return
	}
	var asks sync.WaitGroup
	defer asks.Wait()
	defer cancel()
	asks.Go(func() {
		defer cancel()
		s.listen(ctx, in, out, may == writer, &asks)
	})
	r := s.f.Open()
	defer r.Close()
	for {
		b, err := r.Next(ctx)
		if err != nil {
			return
		}
		for _, f := range pack(b) {
			if out.send(f) != nil {
				return
			}
		}
	}
}

// admission is what a client may do.
type admission uint8

const (
	refused admission = iota
	looker
	writer
)

// admit decides what a client may do, and says why it may not do more.
func (s *server) admit(h *hello) (admission, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case h.Protocol != Protocol:
		return refused, fmt.Sprintf("this device speaks version %d, the terminal %d", Protocol,
			h.Protocol)
	case s.clients >= maxClients:
		return refused, fmt.Sprintf("%d terminals look already", maxClients)
	}
	s.clients++
	switch {
	case !h.Write:
		return looker, ""
	case !s.o.Write:
		return looker, "this device lets terminals only look"
	case s.writing:
		return looker, "another terminal has the right to act"
	}
	s.writing = true
	return writer, ""
}

func (s *server) leave(may admission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if may != refused {
		s.clients--
	}
	if may == writer {
		s.writing = false
	}
}

// listen takes requests until the client is gone; each is carried out beside the others.
func (s *server) listen(ctx context.Context, in wireReader, out *wireWriter, may bool,
	asks *sync.WaitGroup) {
	slots := make(chan struct{}, 4)
	for {
		f, err := in.read()
		if err != nil {
			return
		}
		if f.Ask == nil {
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		asks.Go(func() {
			defer func() { <-slots }()
			a := &answer{ID: f.Ask.ID, OK: true}
			if err := s.do(ctx, f.Ask.Request, may); err != nil {
				a.OK, a.Error = false, err.Error()
			}
			_ = out.send(frame{Answer: a}) // a client that is gone needs no answer
		})
	}
}

func (s *server) do(ctx context.Context, r Request, may bool) error {
	if !may {
		return ErrReadOnly
	}
	ctx, cancel := context.WithTimeout(ctx, actFor)
	defer cancel()
	return s.f.act(ctx, r)
}

// wireWriter sends frames of several goroutines, each whole.
type wireWriter struct {
	mu    sync.Mutex
	c     net.Conn
	stall time.Duration
	err   error
}

func (w *wireWriter) send(f frame) error {
	b, err := f.line()
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	_ = w.c.SetWriteDeadline(time.Now().Add(w.stall)) // a connection that is gone fails to write
	if _, err := w.c.Write(b); err != nil {
		w.err = fmt.Errorf("send frame: %w", err)
		w.c.Close()
		return w.err
	}
	return nil
}
