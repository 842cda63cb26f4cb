package pack

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// Decoder takes apart what an Encoder wrote, piece by piece in the same order. What does not fit
// sets Bad and reads as nothing.
type Decoder struct {
	// B is what is left to read.
	B []byte
	// Bad says that something did not fit; nothing read since means anything.
	Bad bool
	// Now is as the Encoder's.
	Now   time.Duration
	names []string
	pairs []pair
	room  int // how many elements what is left of a frame may still hold
}

// NewDecoder makes a decoder that has read nothing.
func NewDecoder() *Decoder { return &Decoder{} }

// Take begins to read the bytes of a frame.
func (d *Decoder) Take(b []byte) { d.B, d.Bad, d.room = b, false, maxRoom }

// maxRoom bounds the values in a frame, so that damage costs no memory.
const maxRoom = 16 << 20

func (d *Decoder) fail() { d.Bad, d.B = true, nil }

// Number reads an unsigned number.
func (d *Decoder) Number() uint64 {
	v, n := binary.Uvarint(d.B)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.B = d.B[n:]
	return v
}

// Signed reads a signed number.
func (d *Decoder) Signed() int64 {
	v, n := binary.Varint(d.B)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.B = d.B[n:]
	return v
}

// Bytes reads n bytes; they share memory with the frame.
func (d *Decoder) Bytes(n uint64) []byte {
	if n > uint64(len(d.B)) {
		d.fail()
		return nil
	}
	b := d.B[:n:n]
	d.B = d.B[n:]
	return b
}

// Count reads how many of something follow, each at least a byte.
func (d *Decoder) Count() int {
	n := d.Number()
	if n > uint64(len(d.B)) {
		d.fail()
		return 0
	}
	return int(n)
}

// Text reads a text.
func (d *Decoder) Text() string { return d.literal(d.Number(), 2) }

// literal reads a text behind its first number; numbers of known texts begin at first.
func (d *Decoder) literal(n uint64, first uint64) string {
	if n >= first {
		if n -= first; n >= uint64(len(d.names)) {
			d.fail()
			return ""
		}
		return d.names[n]
	}
	s := string(d.Bytes(d.Number()))
	if n == 0 && !d.Bad {
		if len(d.names) >= maxNames {
			d.fail()
			return ""
		}
		d.names = append(d.names, s)
	}
	return s
}

// Pair reads two texts.
func (d *Decoder) Pair() (a, b string) {
	if n := d.Number(); n > 0 {
		if n > uint64(len(d.pairs)) {
			d.fail()
			return "", ""
		}
		p := d.pairs[n-1]
		return p.a, p.b
	}
	a, b = d.Text(), d.Text()
	if !d.Bad && len(d.pairs) < maxNames && len(a) <= maxName && len(b) <= maxName {
		d.pairs = append(d.pairs, pair{a, b})
	}
	return a, b
}

// Source reads values of one type.
type Source struct {
	d   *Decoder
	typ *Type
	mem []recall
}

// recall is what stood in a place last.
type recall struct {
	text string
	list []any
	addr netip.Addr
}

// Source makes what reads values of a type.
func (d *Decoder) Source(t *Type) *Source {
	return &Source{d: d, typ: t, mem: make([]recall, t.slots)}
}

// Read reads a value that was written against a base; the zero Value is the base of values that
// were written against nothing.
func (s *Source) Read(base Value) Value {
	v := s.value(s.typ, base.v)
	if s.d.Bad {
		return Value{}
	}
	return Value{s.typ, v}
}

// zero is the zero value of a type.
func zero(t *Type) any {
	switch t.kind {
	case kBool, kUint:
		return uint64(0)
	case kInt, kLong:
		return int64(0)
	case kFloat:
		return uint64(0)
	case kFloat32:
		return uint32(0)
	case kString:
		return ""
	case kBytes:
		return []byte(nil)
	case kTime:
		return time.Time{}
	case kAddr:
		return netip.Addr{}
	case kPrefix:
		return netip.Prefix{}
	case kPort:
		return netip.AddrPort{}
	case kPointer:
		return pointer{}
	case kSlice:
		return []any(nil)
	case kOctets:
		return make([]byte, t.n)
	case kArray:
		out := make([]any, t.n)
		for i := range out {
			out[i] = zero(t.elem)
		}
		return out
	}
	out := make([]any, len(t.leaves))
	for i, l := range t.leaves {
		out[i] = zero(l)
	}
	return out
}

// pointer is a pointer in a Value.
type pointer struct {
	set bool
	to  any
}

// value reads a value against a base, nil for the zero value.
func (s *Source) value(t *Type, base any) any {
	if base == nil {
		base = zero(t)
	}
	if t.kind != kStruct {
		return s.leaf(t, base)
	}
	out := slices.Clone(base.([]any))
	for at := -1; ; {
		gap := s.d.Number()
		if gap == 0 || s.d.Bad {
			return out
		}
		if gap > uint64(len(out)-1-at) {
			s.d.fail()
			return out
		}
		at += int(gap)
		out[at] = s.leaf(t.leaves[at], out[at])
	}
}

// leaf reads a value that is no struct.
func (s *Source) leaf(t *Type, base any) any {
	d := s.d
	switch t.kind {
	case kBool, kUint:
		return base.(uint64) + uint64(d.Signed())
	case kInt:
		return base.(int64) + d.Signed()
	case kLong:
		return d.long(base.(int64))
	case kFloat:
		return base.(uint64) ^ bits.ReverseBytes64(d.Number())
	case kFloat32:
		return base.(uint32) ^ bits.ReverseBytes32(uint32(d.Number()))
	case kString:
		return s.text(t, base.(string))
	case kBytes:
		return s.bytes(t, base.([]byte))
	case kTime:
		return d.time(base.(time.Time))
	case kAddr:
		return s.addr(t)
	case kPrefix:
		return netip.PrefixFrom(s.addr(t), int(d.Signed()))
	case kPort:
		return netip.AddrPortFrom(s.addr(t), uint16(d.Number()))
	case kSlice:
		return s.slice(t, base.([]any))
	case kOctets:
		return slices.Clone(d.Bytes(uint64(t.n)))
	case kArray:
		out := slices.Clone(base.([]any))
		for i := range out {
			out[i] = s.value(t.elem, out[i])
		}
		return out
	}
	switch was := base.(pointer); d.Number() {
	case 0:
		return pointer{}
	case 1:
		return pointer{true, s.value(t.elem, nil)}
	case 2:
		return pointer{true, s.value(t.elem, was.to)}
	}
	d.fail()
	return pointer{}
}

func (d *Decoder) long(was int64) int64 {
	n := d.Number()
	x := int64(n>>3) ^ -int64(n>>2&1)
	switch n & 3 {
	case fromBase:
		return was + x
	case fromNow:
		return int64(d.Now) + x
	case wholeSec:
		return int64(d.Now) + x*int64(time.Second)
	case inFull:
		if b := d.Bytes(8); b != nil {
			return int64(binary.LittleEndian.Uint64(b))
		}
		return 0
	}
	d.fail()
	return 0
}

func (d *Decoder) time(was time.Time) time.Time {
	sec := was.Unix() + d.Signed()
	t := time.Unix(sec, int64(d.Number()%1e9)).UTC()
	if off := d.Signed(); off != 0 {
		return t.In(time.FixedZone("", int(off)))
	}
	return t
}

func (s *Source) text(t *Type, was string) string {
	d := s.d
	n := d.Number()
	if n != 1 && n != 2 {
		return d.literal(n, textName)
	}
	m := &s.mem[t.slot]
	if was == "" {
		was = m.text
	}
	if n == 1 {
		m.text = d.literal(n, textName)
	} else {
		m.text = string(d.patched(was, d.length()))
	}
	return m.text
}

// length reads the length of a text that a patch makes, which may be longer than the patch.
func (d *Decoder) length() int {
	n := d.Number()
	if n > uint64(d.room) {
		d.fail()
		return 0
	}
	d.room -= int(n)
	return int(n)
}

func (s *Source) bytes(t *Type, was []byte) []byte {
	d, m := s.d, &s.mem[t.slot]
	old := m.text
	if len(was) > 0 {
		old = string(was)
	}
	switch form := d.Number(); form {
	case isNil:
		return nil
	case isEmpty:
		return []byte{}
	case isWhole:
		m.text = string(d.Bytes(d.Number()))
	case isPatch:
		m.text = string(d.patched(old, d.length()))
	case isSame:
		m.text = old
	default:
		d.fail()
	}
	return []byte(m.text)
}

func (s *Source) addr(t *Type) netip.Addr {
	d, m := s.d, &s.mem[t.slot]
	switch form := d.Number(); form {
	case addrNone:
		return netip.Addr{}
	case addrLast:
		return m.addr
	case addr4:
		if b := d.Bytes(4); b != nil {
			m.addr = netip.AddrFrom4([4]byte(b))
		}
	case addr6, addrZone:
		if b := d.Bytes(16); b != nil {
			m.addr = netip.AddrFrom16([16]byte(b))
		}
		if form == addrZone {
			m.addr = m.addr.WithZone(d.Text())
		}
	default:
		d.fail()
	}
	return m.addr
}

func (s *Source) slice(t *Type, was []any) []any {
	d := s.d
	n := d.Number()
	if n == 0 {
		return nil
	}
	n--
	if n > uint64(len(d.B)) || n > uint64(d.room) {
		d.fail()
		return nil
	}
	d.room -= int(n)
	out := make([]any, n)
	if n == 0 {
		return out
	}
	m := &s.mem[t.slot]
	if len(was) == 0 {
		was = m.list
	}
	for i := range out {
		var base any
		if i < len(was) {
			base = was[i]
		}
		if out[i] = s.value(t.elem, base); d.Bad {
			return out[:i]
		}
	}
	m.list = out
	return out
}
