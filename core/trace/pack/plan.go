package pack

import (
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind of a type; its letter in descriptions.
type kind byte

const (
	kBool    kind = 'b'
	kInt     kind = 'i'
	kLong    kind = 'd'
	kUint    kind = 'u'
	kFloat   kind = 'f'
	kFloat32 kind = 'g'
	kString  kind = 's'
	kBytes   kind = 'y'
	kTime    kind = 't'
	kAddr    kind = 'a'
	kPrefix  kind = 'p'
	kPort    kind = 'q'
	kSlice   kind = '['
	kPointer kind = '*'
	kArray   kind = '('
	kOctets  kind = 'o' // an array of bytes
	kStruct  kind = '{'
)

// plan is how values of a Go type are written.
type plan struct {
	kind   kind
	size   uintptr
	elem   *plan
	n      int    // length of an array
	leaves []leaf // of a struct
	spans  []span // of a struct
	slot   int    // where the last value in this place is remembered
	fields []part // of a struct
}

// part is a field of a struct, as it is described.
type part struct {
	name string
	plan *plan
}

// leaf is a part of a struct that is no struct itself.
type leaf struct {
	off  uintptr
	plan *plan
}

// span is a row of leaves that are looked at as one: if their memory is the same they are, and of
// most rows little has changed.
type span struct {
	leaves []leaf
	off, n uintptr // where in memory it is, and how many bytes
}

// spanLeaves is how many leaves a span has at most.
const spanLeaves = 6

func spans(leaves []leaf) (out []span) {
	for s := range slices.Chunk(leaves, spanLeaves) {
		last := &s[len(s)-1]
		out = append(out, span{s, s[0].off, last.off + last.plan.size - s[0].off})
	}
	return out
}

// compiler makes plans of one type.
type compiler struct {
	slots  int // places that remember
	widest uintptr
}

func (c *compiler) plan(t reflect.Type) *plan {
	p := &plan{size: t.Size(), kind: kindOf(t)}
	c.widest = max(c.widest, p.size)
	switch p.kind {
	case kString, kBytes, kAddr, kPrefix, kPort:
		p.slot = c.slot()
	case kSlice:
		p.slot = c.slot()
		p.elem = c.plan(t.Elem())
	case kPointer:
		p.elem = c.plan(t.Elem())
	case kArray:
		p.n, p.elem = t.Len(), c.plan(t.Elem())
	case kOctets:
		p.n = t.Len()
	case kStruct:
		p.fields = make([]part, t.NumField())
		p.leaves = make([]leaf, 0, len(p.fields))
		for i := range p.fields {
			f := t.Field(i)
			s := c.plan(f.Type)
			p.fields[i] = part{nameOf(&f), s}
			if s.kind != kStruct {
				p.leaves = append(p.leaves, leaf{f.Offset, s})
			}
			for _, l := range s.leaves {
				p.leaves = append(p.leaves, leaf{f.Offset + l.off, l.plan})
			}
		}
		p.spans = spans(p.leaves)
	}
	return p
}

// describe appends the type's description.
func (p *plan) describe(b []byte) []byte {
	b = append(b, byte(p.kind))
	switch p.kind {
	case kArray, kOctets:
		b = append(strconv.AppendInt(b, int64(p.n), 10), ')')
	case kStruct:
		for i, f := range p.fields {
			if i > 0 {
				b = append(b, ';')
			}
			b = f.plan.describe(append(append(b, f.name...), ' '))
		}
		return append(b, '}')
	}
	if p.elem != nil {
		b = p.elem.describe(b)
	}
	return b
}

func (c *compiler) slot() int {
	c.slots++
	return c.slots - 1
}

// nameOf is the name of a field, as JSON has it.
func nameOf(f *reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
		return name
	}
	return f.Name
}

// kindOf panics on types that rows cannot hold; package bus has refused them before.
func kindOf(t reflect.Type) kind {
	switch t {
	case reflect.TypeFor[time.Time]():
		return kTime
	case reflect.TypeFor[netip.Addr]():
		return kAddr
	case reflect.TypeFor[netip.Prefix]():
		return kPrefix
	case reflect.TypeFor[netip.AddrPort]():
		return kPort
	}
	switch t.Kind() {
	case reflect.Bool:
		return kBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		return kInt
	case reflect.Int64:
		return kLong
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return kUint
	case reflect.Float32:
		return kFloat32
	case reflect.Float64:
		return kFloat
	case reflect.String:
		return kString
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return kOctets
		}
		return kArray
	case reflect.Pointer:
		return kPointer
	case reflect.Struct:
		return kStruct
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return kBytes
		}
		return kSlice
	}
	panic("pack: " + t.String() + " is nothing that rows hold")
}
