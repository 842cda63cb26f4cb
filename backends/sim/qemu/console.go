package qemu

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
)

// console reads a guest's serial port to its end.
type console struct {
	done   chan struct{}
	up     atomic.Bool
	marker []byte
	booted func()
	last   []byte
	out    io.Writer
}

// newConsole starts to read. It passes every byte on to out and calls booted once when marker
// has gone by.
func newConsole(conn net.Conn, out io.Writer, marker string, booted func()) *console {
	if out == nil {
		out = io.Discard
	}
	c := &console{done: make(chan struct{}), marker: []byte(marker), booted: booted, out: out}
	go c.read(conn)
	return c
}

func (c *console) found() bool { return c.up.Load() }

func (c *console) read(conn net.Conn) {
	defer close(c.done)
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := conn.Read(buffer)
		c.look(buffer[:n])
		// A writer that is broken must not stop the guest, so its error is its own affair.
		_, _ = c.out.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}

// look searches for the marker, also across reads.
func (c *console) look(text []byte) {
	if len(c.marker) == 0 || c.found() {
		return
	}
	c.last = append(c.last, text...)
	if bytes.Contains(c.last, c.marker) {
		c.up.Store(true)
		c.last = nil
		c.booted()
		return
	}
	if over := len(c.last) - len(c.marker); over > 0 {
		c.last = append(c.last[:0], c.last[over:]...)
	}
}
