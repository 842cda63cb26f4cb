package pack

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Type is a type as a stream describes it.
type Type struct {
	kind   kind
	elem   *Type
	n      int // length of an array
	fields []field
	leaves []*Type // of a struct, those of structs within it laid flat
	slot   int
	desc   string
	slots  int // of the whole description

	// The Go type that values were last read into, and the place of each field in it, -1 where it has
	// none.
	into  reflect.Type
	index []int
}

// field is a part of a struct.
type field struct {
	name string
	typ  *Type
}

// ErrDescription says that a description describes nothing.
var ErrDescription = errors.New("no description of a type")

// maxDeep bounds how deep descriptions nest.
const maxDeep = 64

// Parse reads a description.
func Parse(desc string) (*Type, error) {
	p := parser{rest: desc}
	t := p.parse(0)
	if p.bad || p.rest != "" {
		return nil, fmt.Errorf("%w: %.200q", ErrDescription, desc)
	}
	t.desc, t.slots = desc, p.slots
	return t, nil
}

// String is the description.
func (t *Type) String() string { return t.desc }

type parser struct {
	rest  string
	bad   bool
	slots int
}

// upto takes the text before a mark, and the mark.
func (p *parser) upto(mark string) string {
	a, b, ok := strings.Cut(p.rest, mark)
	p.bad = p.bad || !ok
	p.rest = b
	return a
}

func (p *parser) parse(deep int) *Type {
	t := &Type{}
	if p.rest == "" || deep > maxDeep {
		p.bad = true
		return t
	}
	t.kind, p.rest = kind(p.rest[0]), p.rest[1:]
	switch t.kind {
	case kString, kBytes, kAddr, kPrefix, kPort:
		t.slot = p.slot()
	case kSlice:
		t.slot = p.slot()
		t.elem = p.parse(deep + 1)
	case kPointer:
		t.elem = p.parse(deep + 1)
	case kOctets:
		n, err := strconv.Atoi(p.upto(")"))
		p.bad = p.bad || err != nil || n < 0 || n > 1<<16
		t.n = n
	case kArray:
		n, err := strconv.Atoi(p.upto(")"))
		p.bad = p.bad || err != nil || n < 0 || n > 1<<16
		t.n, t.elem = n, p.parse(deep+1)
	case kStruct:
		p.fields(t, deep)
	case kBool, kInt, kLong, kUint, kFloat, kFloat32, kTime:
	default:
		p.bad = true
	}
	return t
}

func (p *parser) fields(t *Type, deep int) {
	if strings.HasPrefix(p.rest, "}") {
		p.rest = p.rest[1:]
		return
	}
	for !p.bad {
		f := field{name: p.upto(" ")}
		f.typ = p.parse(deep + 1)
		t.fields = append(t.fields, f)
		if f.typ.kind == kStruct {
			t.leaves = append(t.leaves, f.typ.leaves...)
		} else {
			t.leaves = append(t.leaves, f.typ)
		}
		if !strings.HasPrefix(p.rest, ";") {
			p.upto("}")
			return
		}
		p.rest = p.rest[1:]
	}
}

func (p *parser) slot() int {
	p.slots++
	return p.slots - 1
}
