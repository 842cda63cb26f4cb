package tpm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Limits of one command. A TPM may take long to make an RSA key, an emulator that restarts is
// back within a second.
const (
	commandLimit = 60 * time.Second
	dialLimit    = 3 * time.Second
	dialPause    = 10 * time.Millisecond
)

// Sizes of a response: its header holds a tag, the size of all of it and a code.
const (
	headerBytes     = 10
	longestResponse = 64 << 10
)

// errNotTPM says that a path names neither a device nor a socket.
var errNotTPM = errors.New("neither a device nor a socket")

// wire carries commands to a TPM, one at a time. It is go-tpm's transport.TPM, and through
// ReadWriter also what the older API wants, so that both can share one TPM.
type wire struct {
	path string

	mu     sync.Mutex
	device *os.File // nil for a socket, which is dialled for each command
	closed bool
}

func openWire(path string) (*wire, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	w := &wire{path: path}
	switch {
	case info.Mode()&os.ModeDevice != 0:
		w.device, err = os.OpenFile(path, os.O_RDWR, 0)
		return w, err
	case info.Mode()&os.ModeSocket != 0:
		return w, nil
	default:
		return nil, fmt.Errorf("%s: %w", path, errNotTPM)
	}
}

// Send carries one command and returns the response.
func (w *wire) Send(command []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, os.ErrClosed
	}
	if w.device != nil {
		return w.sendDevice(command)
	}
	conn, err := dial(w.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(commandLimit)); err != nil {
		return nil, err
	}
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
func dial(path string) (net.Conn, error) {
	for end := time.Now().Add(dialLimit); ; time.Sleep(dialPause) {
		conn, err := net.Dial("unix", path)
		if err == nil || time.Now().After(end) {
			return conn, err
		}
	}
}

func (w *wire) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.device == nil {
		return nil
	}
	err := w.device.Close()
	w.device = nil
	return err
}

// older is a TPM as go-tpm's older API and go-tpm-tools see it: a command is written, then its
// response is read. Each exchange is one Send, so it cannot mix with others; it must be used by
// one goroutine at a time, as they do.
type older struct {
	wire     *wire
	response []byte
}

// Write sends a command.
func (o *older) Write(command []byte) (int, error) {
	response, err := o.wire.Send(command)
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
