package linux

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/evetwin/evetwin/scenarios/scenario"
)

// patience is how long an application has for an answer.
const patience = 3 * time.Second

// flow is a connection over which HTTP is asked again and again.
type flow struct {
	conn net.Conn
	in   *bufio.Reader
}

// Open opens a flow to the application behind a mapped port, from the outside.
func (m *machine) Open(port uint16) (scenario.Flow, error) {
	return m.open(port)
}

func (m *machine) open(port uint16) (*flow, error) {
	a := m.address()
	if a == "" {
		return nil, fmt.Errorf("open a flow to port %d: the device has no address", port)
	}
	c, err := m.outside.dial(m.ctx, "tcp", fmt.Sprintf("%s:%d", a, port))
	if err != nil {
		return nil, fmt.Errorf("open a flow to port %d: %w", port, err)
	}
	return &flow{c, bufio.NewReader(c)}, nil
}

// Get asks the application behind a mapped port, from the outside.
func (m *machine) Get(port uint16) ([]byte, error) {
	f, err := m.open(port)
	if err != nil {
		return nil, err
	}
	body, err := f.ask()
	return body, errors.Join(err, f.Close())
}

// Peer is the outside's address on the first cable.
func (m *machine) Peer() string { return cables()[0].router }

// Ask asks once more.
func (f *flow) Ask() error {
	_, err := f.ask()
	return err
}

func (f *flow) ask() ([]byte, error) {
	if err := f.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprint(f.conn, "GET / HTTP/1.1\r\nHost: edge\r\n\r\n"); err != nil {
		return nil, err
	}
	r, err := http.ReadResponse(f.in, nil)
	if err != nil {
		return nil, err
	}
	body, err := readAll(r)
	return body, errors.Join(err, r.Body.Close())
}

// Close closes the connection.
func (f *flow) Close() error { return f.conn.Close() }
