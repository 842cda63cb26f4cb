package monitor

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// maxFrame bounds a frame of a terminal, in bytes.
const maxFrame = 1 << 20

// message is what a terminal is told.
type message struct {
	Type    string `json:"type"`
	Message any    `json:"message"`
}

// appendFrame appends a message with its length before it.
func appendFrame(b []byte, m message) ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return b, fmt.Errorf("encode %s: %w", m.Type, err)
	}
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(text))), text...), nil
}

// readFrame reads what is behind the next length.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, fmt.Errorf("read frame: %d bytes, at most %d", n, maxFrame)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("read frame: %w", err)
	}
	return b, nil
}
