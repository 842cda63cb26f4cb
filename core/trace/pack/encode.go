package pack

import (
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"reflect"
	"time"
	"unsafe"
)

// Texts as long as this at most, and as many, are numbered.
const (
	maxName  = 64
	maxNames = 1 << 16
)

// Encoder appends values to B, whose bytes its user takes away; what it has learned of texts stays.
type Encoder struct {
	// B is what has been written.
	B []byte
	// Now is added to the bases that durations are written against.
	Now   time.Duration
	names map[string]uint64
	pairs map[pair]uint64
	near  [nearTexts]near
}

// near is a text that was written lately: to find it there is cheaper than in the map.
type near struct {
	text string
	n    uint64
}

// nearTexts is how many are near, each in a place that follows from where in memory it is; a power
// of two.
const nearTexts = 256

// number is the number of a text, 0 where it has none.
func (e *Encoder) number(s string) uint64 {
	if len(s) > maxName {
		return 0
	}
	x := &e.near[(uintptr(unsafe.Pointer(unsafe.StringData(s)))>>3^uintptr(len(s)))%nearTexts]
	if x.text == s && x.n > 0 {
		return x.n
	}
	n := e.names[s]
	if n > 0 {
		*x = near{s, n}
	}
	return n
}

// pair is two texts that have one number.
type pair struct{ a, b string }

// NewEncoder makes an encoder that has written nothing.
func NewEncoder() *Encoder {
	return &Encoder{names: map[string]uint64{}, pairs: map[pair]uint64{}}
}

// Number writes an unsigned number.
func (e *Encoder) Number(n uint64) { e.B = binary.AppendUvarint(e.B, n) }

// Signed writes a signed number.
func (e *Encoder) Signed(n int64) { e.B = binary.AppendVarint(e.B, n) }

// Text writes a text, or the number it has got.
func (e *Encoder) Text(s string) {
	if n := e.number(s); n > 0 {
		e.Number(n + 1)
		return
	}
	if len(s) > maxName || len(e.names) >= maxNames {
		e.Number(1)
	} else {
		e.names[s] = uint64(len(e.names)) + 1
		e.Number(0)
	}
	e.Number(uint64(len(s)))
	e.B = append(e.B, s...)
}

// Again writes a text that is written often; known is its number once it has one, for next time.
func (e *Encoder) Again(s string, known *uint64) {
	if *known > 0 {
		e.Number(*known + 1)
		return
	}
	e.Text(s)
	*known = e.names[s]
}

// Pair writes two texts, or the number that the two have got. It returns their number, 0 where they
// get none; to write it with Number is to write the pair again.
func (e *Encoder) Pair(a, b string) (n uint64) {
	if n = e.pairs[pair{a, b}]; n > 0 {
		e.Number(n)
		return n
	}
	e.Number(0)
	e.Text(a)
	e.Text(b)
	if len(e.pairs) < maxNames && len(a) <= maxName && len(b) <= maxName {
		n = uint64(len(e.pairs)) + 1
		e.pairs[pair{a, b}] = n
	}
	return n
}

// Coder writes values of one type; it remembers what stood where last.
type Coder struct {
	e    *Encoder
	plan *plan
	mem  []memory
	zero unsafe.Pointer // as long as the widest type
}

// memory is what stood in a place last: a text or bytes, a slice, an address.
type memory struct {
	text string
	data unsafe.Pointer
	len  int
	addr netip.Addr
}

// Coder makes a coder of a type.
func (e *Encoder) Coder(t reflect.Type) *Coder {
	var c compiler
	p := c.plan(t)
	zero := make([]uint64, c.widest/8+1)
	return &Coder{e: e, plan: p, mem: make([]memory, c.slots), zero: unsafe.Pointer(&zero[0])}
}

// Describe is the type's description.
func (c *Coder) Describe() string { return string(c.plan.describe(nil)) }

// Write appends a value as what differs from a base; both are pointers to the type, and a nil base
// is the zero value. The value must not be changed afterwards.
func (c *Coder) Write(v, base any) {
	was := c.zero
	if base != nil {
		was = reflect.ValueOf(base).UnsafePointer()
	}
	c.value(c.plan, reflect.ValueOf(v).UnsafePointer(), was)
}

// value writes a value, which may equal its base.
func (c *Coder) value(p *plan, v, was unsafe.Pointer) {
	if p.kind != kStruct {
		c.leaf(p, v, was)
		return
	}
	gap := uint64(1)
	for k := range p.spans {
		s := &p.spans[k]
		if unsafe.String((*byte)(unsafe.Add(v, s.off)), s.n) ==
			unsafe.String((*byte)(unsafe.Add(was, s.off)), s.n) {
			gap += uint64(len(s.leaves))
			continue
		}
		for i := range s.leaves {
			l := &s.leaves[i]
			x, y := unsafe.Add(v, l.off), unsafe.Add(was, l.off)
			if same(l.plan, x, y) {
				gap++
				continue
			}
			c.e.Number(gap)
			gap = 1
			c.leaf(l.plan, x, y)
		}
	}
	c.e.B = append(c.e.B, 0)
}

// header is the memory of a slice.
type header struct {
	data     unsafe.Pointer
	len, cap int
}

// same reports whether two values are the same to the bit.
func same(p *plan, x, y unsafe.Pointer) bool {
	switch p.kind {
	case kString:
		return *(*string)(x) == *(*string)(y)
	case kBytes:
		a, b := *(*[]byte)(x), *(*[]byte)(y)
		return string(a) == string(b) && (a == nil) == (b == nil)
	case kTime:
		a, b := (*time.Time)(x), (*time.Time)(y)
		return *a == *b || a.Equal(*b) && offset(*a) == offset(*b)
	case kAddr:
		return *(*netip.Addr)(x) == *(*netip.Addr)(y)
	case kPrefix:
		return *(*netip.Prefix)(x) == *(*netip.Prefix)(y)
	case kPort:
		return *(*netip.AddrPort)(x) == *(*netip.AddrPort)(y)
	case kOctets:
		return string(unsafe.Slice((*byte)(x), p.n)) == string(unsafe.Slice((*byte)(y), p.n))
	case kSlice, kPointer, kArray, kStruct:
		return sameDeep(p, x, y)
	}
	switch p.size {
	case 1:
		return *(*uint8)(x) == *(*uint8)(y)
	case 2:
		return *(*uint16)(x) == *(*uint16)(y)
	case 4:
		return *(*uint32)(x) == *(*uint32)(y)
	}
	return *(*uint64)(x) == *(*uint64)(y)
}

func sameDeep(p *plan, x, y unsafe.Pointer) bool {
	switch p.kind {
	case kPointer:
		a, b := *(*unsafe.Pointer)(x), *(*unsafe.Pointer)(y)
		return a == b || a != nil && b != nil && same(p.elem, a, b)
	case kArray:
		return sameList(p.elem, x, y, p.n)
	case kSlice:
		a, b := (*header)(x), (*header)(y)
		return a.len == b.len && (a.data == nil) == (b.data == nil) &&
			(a.data == b.data || sameList(p.elem, a.data, b.data, a.len))
	}
	for i := range p.leaves {
		l := &p.leaves[i]
		if !same(l.plan, unsafe.Add(x, l.off), unsafe.Add(y, l.off)) {
			return false
		}
	}
	return true
}

func sameList(p *plan, x, y unsafe.Pointer, n int) bool {
	for i := range uintptr(n) {
		if !same(p, unsafe.Add(x, i*p.size), unsafe.Add(y, i*p.size)) {
			return false
		}
	}
	return true
}

// offset is how far a time's zone is from UTC.
func offset(t time.Time) int {
	if t.Location() == time.UTC {
		return 0
	}
	_, off := t.Zone()
	return off
}

// leaf writes a value that is no struct.
func (c *Coder) leaf(p *plan, x, y unsafe.Pointer) {
	e := c.e
	switch p.kind {
	case kBool, kUint:
		e.Signed(int64(unsigned(p, x) - unsigned(p, y)))
	case kInt:
		e.Signed(signed(p, x) - signed(p, y))
	case kLong:
		e.long(*(*int64)(x), *(*int64)(y))
	case kFloat:
		e.Number(bits.ReverseBytes64(*(*uint64)(x) ^ *(*uint64)(y)))
	case kFloat32:
		e.Number(uint64(bits.ReverseBytes32(*(*uint32)(x) ^ *(*uint32)(y))))
	case kString:
		c.text(p, *(*string)(x), *(*string)(y))
	case kBytes:
		c.bytes(p, *(*[]byte)(x), *(*[]byte)(y))
	case kTime:
		a, b := (*time.Time)(x), (*time.Time)(y)
		e.Signed(a.Unix() - b.Unix())
		e.Number(uint64(a.Nanosecond()))
		e.Signed(int64(offset(*a)))
	case kAddr:
		c.addr(p, *(*netip.Addr)(x))
	case kPrefix:
		c.addr(p, (*netip.Prefix)(x).Addr())
		e.Signed(int64((*netip.Prefix)(x).Bits()))
	case kPort:
		c.addr(p, (*netip.AddrPort)(x).Addr())
		e.Number(uint64((*netip.AddrPort)(x).Port()))
	case kSlice:
		c.slice(p, (*header)(x), (*header)(y))
	case kOctets:
		e.B = append(e.B, unsafe.Slice((*byte)(x), p.n)...)
	case kArray:
		for i := range uintptr(p.n) {
			c.value(p.elem, unsafe.Add(x, i*p.elem.size), unsafe.Add(y, i*p.elem.size))
		}
	case kPointer:
		c.pointer(p, *(*unsafe.Pointer)(x), *(*unsafe.Pointer)(y))
	}
}

func unsigned(p *plan, x unsafe.Pointer) uint64 {
	switch p.size {
	case 1:
		return uint64(*(*uint8)(x))
	case 2:
		return uint64(*(*uint16)(x))
	case 4:
		return uint64(*(*uint32)(x))
	}
	return *(*uint64)(x)
}

func signed(p *plan, x unsafe.Pointer) int64 {
	switch p.size {
	case 1:
		return int64(*(*int8)(x))
	case 2:
		return int64(*(*int16)(x))
	case 4:
		return int64(*(*int32)(x))
	}
	return *(*int64)(x)
}

// Bases of long numbers, in the lowest bits.
const (
	fromBase = 0
	fromNow  = 1
	inFull   = 2
	wholeSec = 3 // seconds from now
)

// long writes a number of 64 bits against its base or against now.
func (e *Encoder) long(x, was int64) {
	n, from := zigzag(x-was), uint64(fromBase)
	if m := zigzag(x - int64(e.Now)); m < n {
		n, from = m, fromNow
	}
	if d := x - int64(e.Now); n > 1<<20 && d%int64(time.Second) == 0 {
		n, from = zigzag(d/int64(time.Second)), wholeSec
	}
	if n > math.MaxUint64>>2 {
		e.Number(inFull)
		e.B = binary.LittleEndian.AppendUint64(e.B, uint64(x))
		return
	}
	e.Number(n<<2 | from)
}

func zigzag(x int64) uint64 { return uint64(x)<<1 ^ uint64(x>>63) }

func (c *Coder) pointer(p *plan, x, y unsafe.Pointer) {
	switch {
	case x == nil:
		c.e.Number(0)
	case y == nil:
		c.e.Number(1)
		c.fresh(p.elem, x)
	default:
		c.e.Number(2)
		c.value(p.elem, x, y)
	}
}

// fresh writes a value against the zero value.
func (c *Coder) fresh(p *plan, x unsafe.Pointer) { c.value(p, x, c.zero) }
