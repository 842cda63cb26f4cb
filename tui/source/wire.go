package source

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

const (
	// Protocol is the version that both ends of a socket must speak.
	Protocol = 1
	// maxFrame bounds a frame from the server in bytes, maxAsk one from a client.
	maxFrame = 16 << 20
	maxAsk   = 16 << 10
	// A large snapshot is cut into pieces of so many rows and, but for one row, bytes.
	rowsPerFrame  = 200
	bytesPerFrame = 1 << 20
)

// frame is a line of JSON, either way. The first of each side is a hello; then the server sends
// batches and answers, the client asks.
type frame struct {
	Hello  *hello  `json:"hello,omitempty"`
	Batch  *packed `json:"batch,omitempty"`
	Ask    *ask    `json:"ask,omitempty"`
	Answer *answer `json:"answer,omitempty"`
}

// hello opens a connection. From the client, Write asks for requests to be carried out; from the
// server it says that they are, or Why not. Refused ends the connection.
type hello struct {
	Protocol int    `json:"evetwin"`
	Write    bool   `json:"write"`
	Refused  bool   `json:"refused,omitempty"`
	Why      string `json:"why,omitempty"`
}

// ask is a request and the number its answer will have.
type ask struct {
	ID uint64 `json:"id"`
	Request
}

type answer struct {
	ID    uint64 `json:"id"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// packed is a Batch on its way; the client stamps it with its own clock.
type packed struct {
	Reset  bool        `json:"reset,omitempty"`
	Old    bool        `json:"old,omitempty"`
	Rows   []packedRow `json:"rows,omitempty"`
	Agents []Agent     `json:"agents,omitempty"`
	Lines  []Line      `json:"lines,omitempty"`
	Lost   int         `json:"lost,omitempty"`
	Marks  []Mark      `json:"marks,omitempty"`
	Device *Device     `json:"device,omitempty"`
}

// packedRow is a Change; without a value the row was deleted.
type packedRow struct {
	Topic string          `json:"t"`
	Key   string          `json:"k"`
	Rev   uint64          `json:"r"`
	Val   json.RawMessage `json:"v,omitempty"`
}

// pack cuts a batch into frames.
func pack(b *Batch) []frame {
	first := &packed{Reset: b.Reset, Old: b.Old, Agents: b.Agents, Lines: b.Lines, Lost: b.Lost,
		Marks: b.Marks, Device: b.Device}
	out := []frame{{Batch: first}}
	p, bytes := first, 0
	for i := range b.Rows {
		c := &b.Rows[i]
		if len(p.Rows) == rowsPerFrame || bytes > bytesPerFrame {
			p, bytes = &packed{Old: b.Reset || b.Old}, 0
			out = append(out, frame{Batch: p})
		}
		row := packedRow{Topic: c.Topic, Key: c.Key, Rev: c.Rev}
		if c.Val != nil {
			row.Val = encode(c.Val)
		}
		bytes += len(row.Val)
		p.Rows = append(p.Rows, row)
	}
	return out
}

// unpack makes a batch of a frame.
func (p *packed) unpack(r registry, at time.Time) *Batch {
	b := &Batch{At: at, Reset: p.Reset, Old: p.Old, Agents: p.Agents, Lines: p.Lines, Lost: p.Lost,
		Marks: p.Marks, Device: p.Device}
	for _, row := range p.Rows {
		c := Change{Topic: row.Topic, Key: row.Key, Rev: row.Rev}
		if len(row.Val) > 0 {
			c.Val = r.decode(row.Topic, row.Val)
		}
		b.Rows = append(b.Rows, c)
	}
	return b
}

// wireReader reads frames of bounded size.
type wireReader struct{ lines *bufio.Scanner }

func newWireReader(r io.Reader, limit int) wireReader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, min(limit, 64<<10)), limit)
	return wireReader{s}
}

func (w wireReader) read() (*frame, error) {
	if !w.lines.Scan() {
		if err := w.lines.Err(); err != nil {
			return nil, fmt.Errorf("read frame: %w", err)
		}
		return nil, io.EOF
	}
	f := &frame{}
	if err := json.Unmarshal(w.lines.Bytes(), f); err != nil {
		return nil, fmt.Errorf("read frame: %w", err)
	}
	return f, nil
}

// line is a frame as it is sent.
func (f frame) line() ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode frame: %w", err)
	}
	return append(b, '\n'), nil
}
