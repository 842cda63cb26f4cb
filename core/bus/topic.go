package bus

import (
	"encoding/json"
	"fmt"
	"reflect"
	"unsafe"
)

// Row is a value that knows its key: not empty, without "/", at most 250 bytes (EVE names files
// after keys). A row is immutable once put.
type Row interface{ Key() string }

// Life says what a topic's rows outlive.
type Life uint8

const (
	// Boot rows outlive a crash of their publisher, not a reboot.
	Boot Life = iota
	// Persistent rows outlive a reboot: journalled, and visible only when durable.
	Persistent
	// Local rows are the private memory of their agent and go when it crashes.
	Local
)

// Limits of a topic that states none.
const (
	DefaultMaxRows  = 1000
	DefaultMaxBytes = 64 << 10
)

// Decl is the untyped part of a Topic.
type Decl struct {
	Owner string // the agent or device part that may publish it
	Name  string // EVE's name of the row type, unique per owner
	Life  Life
	// MaxRows bounds the table; 0 means DefaultMaxRows. A put beyond it panics: it is a leak.
	MaxRows int
	// MaxBytes bounds one row in memory; 0 means DefaultMaxBytes. More belongs into a blob.
	MaxBytes int
	// MaxPuts is how often one row may be put in a minute, for rows that move in declared bursts; 0
	// means the host's limit (100). More is an agent that spins.
	MaxPuts int
	// Version of the row's stored encoding. Fields may be added without raising it.
	Version int

	name   string
	sum64  uint64
	shape  *Shape
	equal  func(a, b any) bool
	sum    func(s *Sum, v any)
	decode func([]byte) (any, error)
	newRow func() any
}

// Topic names a table of V and the one agent or device part that may publish it.
type Topic[V Row] struct{ *Decl }

// NewTopic declares a topic. It panics if V holds a kind that has no fixed order or identity
// (map, interface, function, channel): rows must compare and hash alike on every run.
func NewTopic[V Row](d Decl) Topic[V] {
	if d.Owner == "" || d.Name == "" {
		panic("bus: a topic needs an owner and a name")
	}
	if d.MaxRows == 0 {
		d.MaxRows = DefaultMaxRows
	}
	if d.MaxBytes == 0 {
		d.MaxBytes = DefaultMaxBytes
	}
	d.name = d.Owner + "/" + d.Name
	var sum Sum
	sum.String(d.name)
	d.sum64 = sum.Value()
	sh := ShapeOf(reflect.TypeFor[V]())
	d.shape = sh
	d.equal = func(a, b any) bool {
		return sh.eq(unsafe.Pointer(a.(*V)), unsafe.Pointer(b.(*V)))
	}
	d.sum = func(s *Sum, v any) { sh.sum(s, unsafe.Pointer(v.(*V))) }
	d.decode = func(b []byte) (any, error) {
		v := new(V)
		if err := json.Unmarshal(b, v); err != nil {
			return nil, fmt.Errorf("read row of %s/%s: %w", d.Owner, d.Name, err)
		}
		return v, nil
	}
	d.newRow = func() any { return new(V) }
	return Topic[V]{&d}
}

// Equal reports whether two rows (pointers to the topic's row type) hold the same values.
func (d *Decl) Equal(a, b any) bool { return d.equal(a, b) }

// AddTo folds a row (a pointer to the topic's row type) into a checksum.
func (d *Decl) AddTo(s *Sum, v any) { d.sum(s, v) }

// Decode reads a row from JSON and returns a pointer to it.
func (d *Decl) Decode(b []byte) (any, error) { return d.decode(b) }

// NewRow makes an empty row (a pointer to the topic's row type), to be read into.
func (d *Decl) NewRow() any { return d.newRow() }

// RowType is the Go type of the topic's rows.
func (d *Decl) RowType() reflect.Type { return d.shape.Type }

// String is "owner/Name".
func (d *Decl) String() string { return d.name }

// Sum is a checksum of the topic's name.
func (d *Decl) Sum() uint64 { return d.sum64 }

// Family is one row type published by several agents, each in its own table.
type Family[V Row] struct {
	owners []string
	topics []Topic[V]
}

// NewFamily declares one topic per owner.
func NewFamily[V Row](d Decl, owners ...string) Family[V] {
	f := Family[V]{owners: owners}
	for _, o := range owners {
		d.Owner = o
		f.topics = append(f.topics, NewTopic[V](d))
	}
	return f
}

// Of returns the topic of one owner and panics if it is not of the family.
func (f Family[V]) Of(owner string) Topic[V] {
	for i, o := range f.owners {
		if o == owner {
			return f.topics[i]
		}
	}
	panic("bus: " + owner + " is not of the family " + f.topics[0].Name)
}

// Owners lists the family's publishers in declared order.
func (f Family[V]) Owners() []string { return f.owners }
