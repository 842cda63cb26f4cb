package wire

import (
	"encoding/binary"
	"errors"
)

// Row is a row on its way, or the deletion of one.
type Row struct {
	Key string
	Rev uint64
	// Version is that of the row's encoding, bus.Decl.Version of its publisher.
	Version int
	// JSON is the row; nil means that it was deleted.
	JSON []byte
}

// Table is what moved of one topic.
type Table struct {
	// Topic is its number among the subscriptions or the publications of the process.
	Topic int
	// Rev is that of the newest change.
	Rev uint64
	// Complete says that its publisher declared it whole.
	Complete bool
	// Full says that the rows are all there are: what is not among them is gone.
	Full bool
	// Open says, of a hub's table, that its publisher has been there since the hub began.
	Open bool
	Rows []Row
	// Aside are keys of rows that are there, but that the sender cannot read: they stay.
	Aside []string
}

const (
	flagComplete = 1 << iota
	flagFull
	flagOpen
)

// AppendTable encodes a table less its rows, of which there are n.
func AppendTable(b []byte, t *Table, n int) []byte {
	var flags byte
	if t.Complete {
		flags |= flagComplete
	}
	if t.Full {
		flags |= flagFull
	}
	if t.Open {
		flags |= flagOpen
	}
	b = binary.AppendUvarint(b, uint64(t.Topic))
	b = append(b, flags)
	b = binary.AppendUvarint(b, t.Rev)
	b = binary.AppendUvarint(b, uint64(len(t.Aside)))
	for _, key := range t.Aside {
		b = appendText(b, key)
	}
	return binary.AppendUvarint(b, uint64(n))
}

// AppendRow encodes a row of the table before it.
func AppendRow(b []byte, r *Row) []byte {
	b = appendText(b, r.Key)
	b = binary.AppendUvarint(b, r.Rev)
	b = binary.AppendUvarint(b, uint64(r.Version))
	if r.JSON == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(r.JSON))+1)
	return append(b, r.JSON...)
}

// AppendWhole encodes a table and its rows.
func AppendWhole(b []byte, t *Table) []byte {
	b = AppendTable(b, t, len(t.Rows))
	for i := range t.Rows {
		b = AppendRow(b, &t.Rows[i])
	}
	return b
}

// body reads what the functions above wrote. The first error stays.
type body struct {
	b   []byte
	err error
}

// errShort is the error of a body that ends too early.
var errShort = errors.New("read frame: it ends too early")

func (r *body) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err, r.b = errShort, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of things of which each takes a byte at least.
func (r *body) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.err, r.b = errShort, nil
		return 0
	}
	return int(n)
}

func (r *body) bytes(n int) []byte {
	if n > len(r.b) {
		r.err, r.b = errShort, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *body) text() string { return string(r.bytes(r.count())) }

func (r *body) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// tables reads tables; the JSON of their rows lies in the frame's own memory.
func (r *body) tables() []Table {
	n := r.count()
	out := make([]Table, 0, min(n, 64))
	for range n {
		t := Table{Topic: int(r.uint())}
		flags := r.byte()
		t.Complete, t.Full, t.Open = flags&flagComplete != 0, flags&flagFull != 0, flags&flagOpen != 0
		t.Rev = r.uint()
		for range r.count() {
			t.Aside = append(t.Aside, r.text())
		}
		n := r.count()
		t.Rows = make([]Row, 0, n)
		for range n {
			row := Row{Key: r.text(), Rev: r.uint(), Version: int(r.uint())}
			if size := r.uint(); size > uint64(len(r.b))+1 {
				r.err, r.b = errShort, nil
			} else if size > 0 {
				row.JSON = r.bytes(int(size) - 1)
			}
			t.Rows = append(t.Rows, row)
		}
		if out = append(out, t); r.err != nil {
			return nil
		}
	}
	return out
}
