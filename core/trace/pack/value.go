package pack

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"time"
)

// Value is a value that was read, with the type that the stream describes. The zero Value is none.
type Value struct {
	typ *Type
	v   any
}

// IsZero reports whether there is no value.
func (v Value) IsZero() bool { return v.typ == nil }

// Type is the type as it was described.
func (v Value) Type() *Type { return v.typ }

// Equal reports whether two values are the same in all their fields; both may be none.
func (v Value) Equal(o Value) bool {
	if v.typ == nil || o.typ == nil {
		return v.typ == o.typ
	}
	return v.typ.desc == o.typ.desc && reflect.DeepEqual(v.v, o.v)
}

// ErrUnlike says that a value does not fit a Go type: a field of one name is of another kind.
var ErrUnlike = errors.New("types differ")

// Into reads the value into what dst points to. Fields go by name: one that the Go type does not
// have is dropped, one that the value does not have is zero.
func (v Value) Into(dst any) error {
	if v.typ == nil {
		return fmt.Errorf("read %T: there is no value: %w", dst, ErrUnlike)
	}
	r := reflect.ValueOf(dst).Elem()
	if err := v.typ.set(r, v.v); err != nil {
		return fmt.Errorf("read %v: %w", r.Type(), err)
	}
	return nil
}

// as is the kind under which values of a Go type and of a described one meet.
func as(k kind) kind {
	if k == kLong {
		return kInt
	}
	return k
}

// set puts a value into a Go value of its kind.
func (t *Type) set(dst reflect.Value, v any) error {
	if t.into != dst.Type() {
		if as(kindOf(dst.Type())) != as(t.kind) {
			return fmt.Errorf("%w: %v was %c", ErrUnlike, dst.Type(), t.kind)
		}
		t.match(dst.Type())
	}
	switch t.kind {
	case kBool:
		dst.SetBool(v.(uint64) != 0)
	case kUint:
		if n := v.(uint64); !dst.OverflowUint(n) {
			dst.SetUint(n)
			return nil
		}
		return fmt.Errorf("%w: %v does not hold %d", ErrUnlike, dst.Type(), v)
	case kInt, kLong:
		if n := v.(int64); !dst.OverflowInt(n) {
			dst.SetInt(n)
			return nil
		}
		return fmt.Errorf("%w: %v does not hold %d", ErrUnlike, dst.Type(), v)
	case kFloat:
		dst.SetFloat(math.Float64frombits(v.(uint64)))
	case kFloat32:
		*(dst.Addr().Convert(reflect.TypeFor[*float32]()).Interface().(*float32)) =
			math.Float32frombits(v.(uint32))
	case kString:
		dst.SetString(v.(string))
	case kBytes:
		if b := v.([]byte); b != nil {
			dst.SetBytes(slices.Clone(b))
		} else {
			dst.SetZero()
		}
	case kOctets:
		if b := v.([]byte); dst.Len() == len(b) {
			reflect.Copy(dst, reflect.ValueOf(b).Convert(reflect.SliceOf(dst.Type().Elem())))
			return nil
		}
		return fmt.Errorf("%w: %v had %d bytes", ErrUnlike, dst.Type(), t.n)
	case kTime:
		*(dst.Addr().Interface().(*time.Time)) = v.(time.Time)
	case kAddr:
		*(dst.Addr().Interface().(*netip.Addr)) = v.(netip.Addr)
	case kPrefix:
		*(dst.Addr().Interface().(*netip.Prefix)) = v.(netip.Prefix)
	case kPort:
		*(dst.Addr().Interface().(*netip.AddrPort)) = v.(netip.AddrPort)
	default:
		return t.setParts(dst, v)
	}
	return nil
}

// setParts puts a value that has parts.
func (t *Type) setParts(dst reflect.Value, v any) error {
	switch t.kind {
	case kPointer:
		p := v.(pointer)
		if !p.set {
			dst.SetZero()
			return nil
		}
		dst.Set(reflect.New(dst.Type().Elem()))
		return t.elem.set(dst.Elem(), p.to)
	case kStruct:
		leaves := v.([]any)
		for i, f := range t.fields {
			var part any
			if f.typ.kind == kStruct {
				n := len(f.typ.leaves)
				part, leaves = leaves[:n], leaves[n:]
			} else {
				part, leaves = leaves[0], leaves[1:]
			}
			if t.index[i] < 0 {
				continue
			}
			if err := f.typ.set(dst.Field(t.index[i]), part); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
		return nil
	}
	list := v.([]any)
	if t.kind == kArray {
		if dst.Len() != len(list) {
			return fmt.Errorf("%w: %v had %d elements", ErrUnlike, dst.Type(), len(list))
		}
	} else if list == nil {
		dst.SetZero()
		return nil
	} else {
		dst.Set(reflect.MakeSlice(dst.Type(), len(list), len(list)))
	}
	for i, x := range list {
		if err := t.elem.set(dst.Index(i), x); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

// match finds the place of each field in a Go type.
func (t *Type) match(into reflect.Type) {
	t.into = into
	if t.kind != kStruct {
		return
	}
	t.index = make([]int, len(t.fields))
	for i, f := range t.fields {
		t.index[i] = -1
		for j := range into.NumField() {
			if x := into.Field(j); nameOf(&x) == f.name {
				t.index[i] = j
			}
		}
	}
}
