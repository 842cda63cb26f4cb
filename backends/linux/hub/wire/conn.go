package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kind says what a frame holds.
type Kind byte

// Kinds of frames, by who sends them.
const (
	KindHello   Kind = 'h' // process: Hello, as JSON
	KindTables  Kind = 't' // process: Tables
	KindTurn    Kind = 'u' // process: Turn
	KindCall    Kind = 'c' // process: Call
	KindCancel  Kind = 'x' // process: a call's number
	KindLine    Kind = 'l' // process: Line
	KindHealth  Kind = 'e' // process: Health
	KindWelcome Kind = 'w' // hub: Welcome, as JSON
	KindState   Kind = 's' // hub: State
)

// MaxFrame bounds a frame in bytes: the largest tables of all topics of an agent.
const MaxFrame = 1 << 30

// headSize is that of length and kind.
const headSize = 5

// Conn is one end of a socket.
type Conn struct {
	c   *net.UnixConn
	raw syscall.RawConn
	r   *bufio.Reader
	buf []byte
}

// NewConn takes a connected socket over.
func NewConn(c *net.UnixConn) *Conn {
	raw, err := c.SyscallConn()
	if err != nil {
		panic("wire: a socket that was never connected: " + err.Error())
	}
	return &Conn{c: c, raw: raw, r: bufio.NewReaderSize(c, 64<<10)}
}

// Read waits for a frame. The body is valid until the next Read. The error is io.EOF when the other
// side has gone between two frames.
func (c *Conn) Read() (Kind, []byte, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n > MaxFrame {
		return 0, nil, fmt.Errorf("read frame: %d bytes, at most %d", n, MaxFrame)
	}
	if cap(c.buf) < n || cap(c.buf) > 1<<20 && n < cap(c.buf)/8 {
		c.buf = make([]byte, n)
	}
	body := c.buf[:n]
	if _, err := io.ReadFull(c.r, body); err != nil {
		return 0, nil, fmt.Errorf("read frame: %w", err)
	}
	return Kind(head[4]), body, nil
}

// Write sends whole frames, made by Begin and End. It blocks while the other side does not read.
func (c *Conn) Write(frames []byte) error {
	_, err := c.c.Write(frames)
	return err
}

// TryWrite sends what the other side has room for at once and returns how much that was. It must
// not run beside Write.
func (c *Conn) TryWrite(frames []byte) (n int, err error) {
	if err := c.raw.Write(func(fd uintptr) bool {
		if n, err = unix.Write(int(fd), frames); n < 0 {
			n = 0
		}
		return true
	}); err != nil {
		return n, err
	}
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		err = nil
	}
	return n, err
}

// Close ends the connection; a Read or Write that waits returns.
func (c *Conn) Close() error { return c.c.Close() }

// Peer is who is at the other end of a socket.
type Peer struct {
	// PID is the process that connected.
	PID int
	// UID is the user it ran as.
	UID int
}

// PeerOf asks the kernel who is at the other end.
func PeerOf(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, fmt.Errorf("look at peer: %w", err)
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, failed); err != nil {
		return Peer{}, fmt.Errorf("look at peer: %w", err)
	}
	return Peer{PID: int(cred.Pid), UID: int(cred.Uid)}, nil
}

// Begin appends the head of a frame to b and returns where it stands, for End.
func Begin(b []byte, k Kind) ([]byte, int) {
	return append(b, 0, 0, 0, 0, byte(k)), len(b)
}

// End closes the frame that begins at the given place.
func End(b []byte, at int) []byte {
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-headSize))
	return b
}

// Frame appends a whole frame to b.
func Frame(b []byte, k Kind, body []byte) []byte {
	b, at := Begin(b, k)
	return End(append(b, body...), at)
}
