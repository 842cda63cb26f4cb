package usernet

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Sizes of frames on the wire between QEMU and us.
const (
	lengthBytes  = 4
	shortestSize = 14       // an Ethernet header
	longestSize  = 64 << 10 // QEMU's own limit is a little above this
)

// queueFrames is how many frames wait for a guest that does not take them; then new ones are
// dropped, as by any switch.
const queueFrames = 512

// port is the switch's end of a guest's cable. It hands the switch well-formed frames only, and
// never makes it wait for a guest: one that has stopped reading must not hold up its neighbours.
type port struct {
	net.Conn
	queue chan []byte
	gone  chan struct{}
	shut  func()
	rest  []byte
	out   atomic.Bool // pulled out of the switch: frames are lost
}

func newPort(conn net.Conn) *port {
	p := &port{Conn: conn, queue: make(chan []byte, queueFrames), gone: make(chan struct{})}
	p.shut = sync.OnceFunc(func() {
		close(p.gone)
		_ = conn.Close()
	})
	return p
}

// Read gives the switch bytes of whole frames, length first. Frames that are too short to have a
// header are left out: the switch looks at the header without asking.
func (p *port) Read(into []byte) (int, error) {
	for len(p.rest) == 0 {
		frame, err := p.frame()
		if err != nil {
			return 0, err
		}
		if len(frame) >= lengthBytes+shortestSize && !p.out.Load() {
			p.rest = frame
		}
	}
	n := copy(into, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// frame reads one frame with its length before it.
func (p *port) frame() ([]byte, error) {
	var length [lengthBytes]byte
	if _, err := io.ReadFull(p.Conn, length[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(length[:])
	if size > longestSize {
		return nil, io.ErrUnexpectedEOF
	}
	frame := make([]byte, lengthBytes+int(size))
	copy(frame, length[:])
	_, err := io.ReadFull(p.Conn, frame[lengthBytes:])
	return frame, err
}

// Write queues a frame for the guest, or drops it when the queue is full.
func (p *port) Write(frame []byte) (int, error) {
	select {
	case <-p.gone:
		return 0, net.ErrClosed
	default:
	}
	if p.out.Load() {
		return len(frame), nil
	}
	select {
	case p.queue <- append([]byte(nil), frame...):
	default:
	}
	return len(frame), nil
}

// Close ends the port.
func (p *port) Close() error {
	p.shut()
	return nil
}

// send carries queued frames to the guest until the port is shut.
func (p *port) send() {
	for {
		select {
		case <-p.gone:
			return
		case frame := <-p.queue:
			if _, err := p.Conn.Write(frame); err != nil {
				p.shut()
				return
			}
		}
	}
}
