package tpm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/google/go-tpm/tpm2/transport"
)

// Limits of one command. A TPM may take long to make an RSA key, an emulator that restarts is
// back within a second.
const (
	commandLimit = 60 * time.Second
	dialLimit    = 3 * time.Second
	dialPause    = 10 * time.Millisecond
	// grace is how long a command may go on that nobody waits for any more: what it leaves behind
	// in the TPM can be tidied up only if its answer is seen.
	grace = 400 * time.Millisecond
)

// Sizes of a response: its header holds a tag, the size of all of it and a code.
const (
	headerBytes     = 10
	longestResponse = 64 << 10
)

// errNotTPM says that a path names neither a device nor a socket.
var errNotTPM = errors.New("neither a device nor a socket")

// errSilent marks errors of the way to the TPM; all others are its own answers.
var errSilent = errors.New("the TPM does not answer")

// wire carries commands to a TPM, one at a time.
type wire struct {
	path string
	// turn holds one token while a command is under way, and guards device and closed.
	turn   chan struct{}
	device *os.File // nil for a socket, which is dialled for each command
	closed bool
	// whole is held over several commands that belong together, and guards litter.
	whole chan struct{}
	// litter says that objects or sessions may be left in the TPM that nobody knows of.
	litter bool
}

func openWire(path string) (*wire, error) {
	at, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	w := &wire{path: path, turn: make(chan struct{}, 1), whole: make(chan struct{}, 1), litter: true}
	switch {
	case at.Mode()&os.ModeDevice != 0:
		w.device, err = os.OpenFile(path, os.O_RDWR, 0)
		return w, err
	case at.Mode()&os.ModeSocket != 0:
		return w, nil
	default:
		return nil, fmt.Errorf("%s: %w", path, errNotTPM)
	}
}

// link is a wire for as long as a context lives.
type link struct {
	wire *wire
	ctx  context.Context
}

var _ transport.TPM = link{}

// Send carries one command and returns the response.
func (l link) Send(command []byte) ([]byte, error) { return l.wire.send(l.ctx, command) }

// send carries one command. Once ctx is over the command has its grace; then it is left alone, and
// the TPM is free for the next when it has answered.
func (w *wire) send(ctx context.Context, command []byte) ([]byte, error) {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the TPM: %w", ctx.Err())
	}
	if w.closed || ctx.Err() != nil {
		<-w.turn
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, os.ErrClosed
	}
	type answer struct {
		response []byte
		err      error
	}
	got, left := make(chan answer, 1), make(chan struct{})
	go func() {
		defer func() { <-w.turn }()
		response, err := w.exchange(command, left)
		if err != nil {
			err = fmt.Errorf("%w: %w", errSilent, err)
		}
		got <- answer{response, err}
	}()
	select {
	case a := <-got:
		return a.response, a.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case a := <-got:
		return a.response, a.err
	case <-patience.C:
		close(left)
		return nil, fmt.Errorf("leave the TPM: %w", ctx.Err())
	}
}

// exchange writes a command and reads its response; it ends soon after left is closed, if the way
// to the TPM allows it.
func (w *wire) exchange(command []byte, left <-chan struct{}) ([]byte, error) {
	if w.device != nil {
		return w.sendDevice(command)
	}
	conn, err := dial(w.path, left)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(commandLimit)); err != nil {
		return nil, err
	}
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-left:
			_ = conn.SetDeadline(time.Now())
		case <-over:
		}
	}()
	if _, err := conn.Write(command); err != nil {
		return nil, err
	}
	return readResponse(conn)
}

// sendDevice uses the character device: one write is a command, one read its whole response.
func (w *wire) sendDevice(command []byte) ([]byte, error) {
	if _, err := w.device.Write(command); err != nil {
		return nil, err
	}
	response := make([]byte, longestResponse)
	n, err := w.device.Read(response)
	return response[:n], err
}

// readResponse reads from a stream as much as the response's header says.
func readResponse(from io.Reader) ([]byte, error) {
	header := make([]byte, headerBytes)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[2:])
	if size < headerBytes || size > longestResponse {
		return nil, fmt.Errorf("response of %d bytes", size)
	}
	response := make([]byte, size)
	copy(response, header)
	_, err := io.ReadFull(from, response[headerBytes:])
	return response, err
}

// dial connects to an emulator. One that is being started again is waited for.
func dial(path string, left <-chan struct{}) (net.Conn, error) {
	limit := time.NewTimer(dialLimit)
	defer limit.Stop()
	for {
		conn, err := net.Dial("unix", path)
		if err == nil {
			return conn, nil
		}
		select {
		case <-time.After(dialPause):
		case <-limit.C:
			return nil, err
		case <-left:
			return nil, err
		}
	}
}

func (w *wire) close() error {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.closed = true
	if w.device == nil {
		return nil
	}
	err := w.device.Close()
	w.device = nil
	return err
}

// older is a TPM as go-tpm's older API and go-tpm-tools see it: a command is written, then its
// response is read. Each exchange is one command, so it cannot mix with others; it must be used by
// one goroutine at a time, as they do.
type older struct {
	over     transport.TPM
	response []byte
}

// Write sends a command.
func (o *older) Write(command []byte) (int, error) {
	response, err := o.over.Send(command)
	if err != nil {
		return 0, err
	}
	o.response = response
	return len(command), nil
}

// Read returns the response. It does not report its end together with its last bytes: the older
// API takes that for an error.
func (o *older) Read(into []byte) (int, error) {
	if len(o.response) == 0 {
		return 0, io.EOF
	}
	n := copy(into, o.response)
	o.response = o.response[n:]
	return n, nil
}

// Close leaves the TPM open for others.
func (o *older) Close() error { return nil }
