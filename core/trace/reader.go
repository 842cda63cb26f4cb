package trace

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Reader gives the frames of a recording back.
type Reader struct {
	r  *bufio.Reader
	d  decoder
	at int64 // where the next frame begins
}

// maxFrame bounds what is read for one frame.
const maxFrame = 256 << 20

// ErrForeign says that a stream is no recording, or one of another version.
var ErrForeign = errors.New("not a recording of this version")

// NewReader begins to read a recording.
func NewReader(r io.Reader) (*Reader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(br, head); err != nil || string(head) != magic {
		return nil, fmt.Errorf("read trace: %w", ErrForeign)
	}
	return &Reader{r: br, at: int64(len(magic)), d: decoder{names: []string{""},
		revs: map[string]uint64{}, clock: map[string]time.Duration{}}}, nil
}

// Next is the next frame, a *Turn or a *Table; io.EOF behind the last one, and
// io.ErrUnexpectedEOF within one that was torn.
func (r *Reader) Next() (Frame, error) {
	f, err := r.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read trace at byte %d: %w", r.at, err)
	}
	return f, err
}

func (r *Reader) next() (Frame, error) {
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		return nil, err
	}
	if n == 0 || n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes: %w", n, ErrForeign)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r.r, b); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	r.d.b, r.d.bad = b[1:], false
	var f Frame
	switch b[0] {
	case kindTable:
		f = r.d.table()
	case kindTurn:
		f = r.d.turn()
	default:
		return nil, fmt.Errorf("a frame of kind %q: %w", b[0], ErrForeign)
	}
	if r.d.bad || len(r.d.b) > 0 {
		return nil, fmt.Errorf("a frame that does not parse: %w", ErrForeign)
	}
	r.at += int64(n) + int64(len(binary.AppendUvarint(nil, n)))
	return f, nil
}

// NextTurn is the next turn; snapshots are passed over.
func (r *Reader) NextTurn() (*Turn, error) {
	for {
		f, err := r.Next()
		if err != nil {
			return nil, err
		}
		if t, ok := f.(*Turn); ok {
			return t, nil
		}
	}
}

// decoder takes frames apart, in the order in which encoder builds them. What is wrong sets bad and
// reads as zero.
type decoder struct {
	b     []byte
	bad   bool
	names []string // by number, from 1
	revs  map[string]uint64
	clock map[string]time.Duration
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad = true
		d.b = nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) signed() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad = true
		d.b = nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.bad = true
		d.b = nil
		return nil
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) text() string {
	if n := d.number(); n > 0 {
		if n >= uint64(len(d.names)) {
			d.bad = true
			return ""
		}
		return d.names[n]
	}
	s := string(d.bytes(d.number()))
	if len(s) <= maxName && len(d.names) <= maxNames {
		d.names = append(d.names, s)
	}
	return s
}

func (d *decoder) rev(topic string) uint64 {
	d.revs[topic] += uint64(d.signed())
	return d.revs[topic]
}

func (d *decoder) value() json.RawMessage {
	n := d.number()
	if n == flagGone {
		return nil
	}
	return d.bytes(n - 1)
}

// count is how many of something follow, each at least a byte.
func (d *decoder) count() int {
	n := d.number()
	if n > uint64(len(d.b)) {
		d.bad = true
		d.b = nil
		return 0
	}
	return int(n)
}

func (d *decoder) rows() (out []Row) {
	for range d.count() {
		topic := d.text()
		rev := d.rev(topic)
		out = append(out, Row{topic, d.text(), rev, d.value()})
	}
	return out
}

func (d *decoder) table() *Table {
	t := &Table{Device: d.text(), Boot: d.number(), Topic: d.text()}
	t.Rev = d.rev(t.Topic)
	t.Complete = d.number() != 0
	t.Rows = d.rows()
	return t
}
