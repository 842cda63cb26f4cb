package bus

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"time"
	"unsafe"
)

// Shape compares and hashes values of one type without reflection on the hot path: the type is
// walked once, at declaration, and turned into a list of field operations on offsets.
type Shape struct {
	Type reflect.Type
	eq   func(a, b unsafe.Pointer) bool
	sum  func(s *Sum, p unsafe.Pointer)
}

// ShapeOf compiles t. Allowed are booleans, numbers, strings, arrays, slices, pointers, structs of
// exported fields, time.Time (compared as an instant) and the value types of net/netip. It panics
// on anything else and on recursive types.
func ShapeOf(t reflect.Type) *Shape { return compile(t, nil) }

// Equal compares two values of the shape's type, both given as pointers.
func (s *Shape) Equal(a, b unsafe.Pointer) bool { return s.eq(a, b) }

// AddTo folds the value at p into sum.
func (s *Shape) AddTo(sum *Sum, p unsafe.Pointer) { s.sum(sum, p) }

func compile(t reflect.Type, within []reflect.Type) *Shape {
	for _, w := range within {
		if w == t {
			panic(fmt.Sprintf("bus: %v holds itself; rows are trees", t))
		}
	}
	if s := special(t); s != nil {
		return s
	}
	within = append(within[:len(within):len(within)], t)
	switch t.Kind() {
	case reflect.String:
		return &Shape{t, eqOf[string], func(s *Sum, p unsafe.Pointer) { s.String(*(*string)(p)) }}
	case reflect.Struct:
		return compileStruct(t, within)
	case reflect.Slice:
		return compileSlice(t, within)
	case reflect.Array:
		return compileArray(t, within)
	case reflect.Pointer:
		return compilePointer(t, within)
	case reflect.Float32, reflect.Float64:
		return compileFloat(t)
	default:
		return compileWord(t, within)
	}
}

func eqOf[T comparable](a, b unsafe.Pointer) bool { return *(*T)(a) == *(*T)(b) }

func special(t reflect.Type) *Shape {
	switch t {
	case reflect.TypeFor[time.Time]():
		eq := func(a, b unsafe.Pointer) bool { return (*time.Time)(a).Equal(*(*time.Time)(b)) }
		return &Shape{t, eq, func(s *Sum, p unsafe.Pointer) {
			v := (*time.Time)(p)
			s.Word(uint64(v.Unix()))
			s.Word(uint64(v.Nanosecond()))
		}}
	case reflect.TypeFor[netip.Addr]():
		return &Shape{t, eqOf[netip.Addr], func(s *Sum, p unsafe.Pointer) {
			sumAddr(s, *(*netip.Addr)(p))
		}}
	case reflect.TypeFor[netip.Prefix]():
		return &Shape{t, eqOf[netip.Prefix], func(s *Sum, p unsafe.Pointer) {
			v := *(*netip.Prefix)(p)
			sumAddr(s, v.Addr())
			s.Word(uint64(v.Bits()))
		}}
	case reflect.TypeFor[netip.AddrPort]():
		return &Shape{t, eqOf[netip.AddrPort], func(s *Sum, p unsafe.Pointer) {
			v := *(*netip.AddrPort)(p)
			sumAddr(s, v.Addr())
			s.Word(uint64(v.Port()))
		}}
	}
	return nil
}

func sumAddr(s *Sum, a netip.Addr) {
	b := a.As16()
	s.Word(binary.LittleEndian.Uint64(b[:8]))
	s.Word(binary.LittleEndian.Uint64(b[8:]))
	s.Word(uint64(a.BitLen()))
	if z := a.Zone(); z != "" {
		s.String(z)
	}
}

func compileStruct(t reflect.Type, within []reflect.Type) *Shape {
	type field struct {
		off uintptr
		*Shape
	}
	var fs []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			panic(fmt.Sprintf("bus: %v.%s is not exported; a row is all in the open", t, f.Name))
		}
		fs = append(fs, field{f.Offset, compile(f.Type, within)})
	}
	return &Shape{t, func(a, b unsafe.Pointer) bool {
		for i := range fs {
			if !fs[i].eq(unsafe.Add(a, fs[i].off), unsafe.Add(b, fs[i].off)) {
				return false
			}
		}
		return true
	}, func(s *Sum, p unsafe.Pointer) {
		for i := range fs {
			fs[i].sum(s, unsafe.Add(p, fs[i].off))
		}
	}}
}

// header is the memory of a slice.
type header struct {
	data     unsafe.Pointer
	len, cap int
}

func compileSlice(t reflect.Type, within []reflect.Type) *Shape {
	if t.Elem().Kind() == reflect.Uint8 {
		return &Shape{t, func(a, b unsafe.Pointer) bool {
			return string(*(*[]byte)(a)) == string(*(*[]byte)(b))
		}, func(s *Sum, p unsafe.Pointer) { s.Bytes(*(*[]byte)(p)) }}
	}
	e, size := compile(t.Elem(), within), t.Elem().Size()
	return &Shape{t, func(a, b unsafe.Pointer) bool {
		x, y := (*header)(a), (*header)(b)
		if x.len != y.len {
			return false
		}
		for i := range x.len {
			off := uintptr(i) * size
			if !e.eq(unsafe.Add(x.data, off), unsafe.Add(y.data, off)) {
				return false
			}
		}
		return true
	}, func(s *Sum, p unsafe.Pointer) {
		x := (*header)(p)
		s.Word(uint64(x.len))
		for i := range x.len {
			e.sum(s, unsafe.Add(x.data, uintptr(i)*size))
		}
	}}
}

func compileArray(t reflect.Type, within []reflect.Type) *Shape {
	e, size, n := compile(t.Elem(), within), t.Elem().Size(), t.Len()
	return &Shape{t, func(a, b unsafe.Pointer) bool {
		for i := range n {
			off := uintptr(i) * size
			if !e.eq(unsafe.Add(a, off), unsafe.Add(b, off)) {
				return false
			}
		}
		return true
	}, func(s *Sum, p unsafe.Pointer) {
		for i := range n {
			e.sum(s, unsafe.Add(p, uintptr(i)*size))
		}
	}}
}

func compilePointer(t reflect.Type, within []reflect.Type) *Shape {
	e := compile(t.Elem(), within)
	return &Shape{t, func(a, b unsafe.Pointer) bool {
		x, y := *(*unsafe.Pointer)(a), *(*unsafe.Pointer)(b)
		if x == nil || y == nil {
			return x == y
		}
		return x == y || e.eq(x, y)
	}, func(s *Sum, p unsafe.Pointer) {
		x := *(*unsafe.Pointer)(p)
		if x == nil {
			s.Word(0)
			return
		}
		s.Word(1)
		e.sum(s, x)
	}}
}

// compileFloat compares by bits, so that a NaN equals itself and a put of it ends.
func compileFloat(t reflect.Type) *Shape {
	if t.Kind() == reflect.Float32 {
		return &Shape{t, eqOf[uint32], func(s *Sum, p unsafe.Pointer) {
			s.Word(uint64(math.Float32bits(*(*float32)(p))))
		}}
	}
	return &Shape{t, eqOf[uint64], func(s *Sum, p unsafe.Pointer) {
		s.Word(math.Float64bits(*(*float64)(p)))
	}}
}

func compileWord(t reflect.Type, within []reflect.Type) *Shape {
	switch t.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Uint8:
		return &Shape{t, eqOf[uint8], func(s *Sum, p unsafe.Pointer) { s.Word(uint64(*(*uint8)(p))) }}
	case reflect.Int16, reflect.Uint16:
		return &Shape{t, eqOf[uint16], func(s *Sum, p unsafe.Pointer) { s.Word(uint64(*(*uint16)(p))) }}
	case reflect.Int32, reflect.Uint32:
		return &Shape{t, eqOf[uint32], func(s *Sum, p unsafe.Pointer) { s.Word(uint64(*(*uint32)(p))) }}
	case reflect.Int: // as wide as the machine's word, but the same sum everywhere
		return &Shape{t, eqOf[int], func(s *Sum, p unsafe.Pointer) { s.Word(uint64(*(*int)(p))) }}
	case reflect.Uint:
		return &Shape{t, eqOf[uint], func(s *Sum, p unsafe.Pointer) { s.Word(uint64(*(*uint)(p))) }}
	case reflect.Int64, reflect.Uint64:
		return &Shape{t, eqOf[uint64], func(s *Sum, p unsafe.Pointer) { s.Word(*(*uint64)(p)) }}
	}
	panic(fmt.Sprintf("bus: %v (in %v) has no fixed order or identity; use a sorted slice",
		t, within[0]))
}
