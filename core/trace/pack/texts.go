package pack

import (
	"encoding/binary"
	"net/netip"
	"unsafe"
)

// How a text or bytes are written; a text may also be a number of Text, from textName on.
const (
	isNil   = 0
	isEmpty = 1
	isWhole = 2
	isPatch = 3
	isSame  = 4

	textName = 3
)

// text writes a text of a value: 0 and 1 as Text does, 2 as a patch.
func (c *Coder) text(p *plan, s, was string) {
	e := c.e
	if len(s) <= maxName {
		if n := e.number(s); n > 0 {
			e.Number(n + textName - 1)
			return
		}
		if len(e.names) < maxNames {
			e.Text(s)
			return
		}
	}
	m := &c.mem[p.slot]
	if was == "" {
		was = m.text
	}
	m.text = s
	if was == "" {
		e.Number(1)
		e.Number(uint64(len(s)))
		e.B = append(e.B, s...)
		return
	}
	e.Number(2)
	e.Number(uint64(len(s)))
	e.B = appendPatch(e.B, was, s)
}

func (c *Coder) bytes(p *plan, b, was []byte) {
	e := c.e
	switch {
	case b == nil:
		e.Number(isNil)
		return
	case len(b) == 0:
		e.Number(isEmpty)
		return
	}
	s, old := unsafe.String(&b[0], len(b)), ""
	m := &c.mem[p.slot]
	if old = m.text; len(was) > 0 {
		old = unsafe.String(&was[0], len(was))
	}
	m.text = s
	if s == old {
		e.Number(isSame)
		return
	}
	at := len(e.B)
	e.Number(isPatch)
	e.Number(uint64(len(b)))
	if old != "" {
		if e.B = appendPatch(e.B, old, s); len(e.B)-at < len(b) {
			return
		}
	}
	e.B = append(e.B[:at], isWhole)
	e.Number(uint64(len(b)))
	e.B = append(e.B, b...)
}

// Kinds of addresses.
const (
	addrNone = iota
	addrLast
	addr4
	addr6
	addrZone
)

func (c *Coder) addr(p *plan, a netip.Addr) {
	e, m := c.e, &c.mem[p.slot]
	switch {
	case !a.IsValid():
		e.Number(addrNone)
		return
	case a == m.addr:
		e.Number(addrLast)
		return
	}
	m.addr = a
	if a.Is4() {
		b := a.As4()
		e.B = append(append(e.B, addr4), b[:]...)
		return
	}
	b, form := a.As16(), byte(addr6)
	if a.Zone() != "" {
		form = addrZone
	}
	e.B = append(append(e.B, form), b[:]...)
	if form == addrZone {
		e.Text(a.Zone())
	}
}

// slice writes a slice, its elements against those of the base or, if that has none, of the last
// slice that stood here.
func (c *Coder) slice(p *plan, x, y *header) {
	e := c.e
	if x.data == nil {
		e.Number(0)
		return
	}
	e.B = binary.AppendUvarint(e.B, uint64(x.len)+1)
	if x.len == 0 {
		return
	}
	m := &c.mem[p.slot]
	base, n := y.data, y.len
	if n == 0 {
		base, n = m.data, m.len
	}
	for i := range uintptr(x.len) {
		v := unsafe.Add(x.data, i*p.elem.size)
		if i < uintptr(n) {
			c.value(p.elem, v, unsafe.Add(base, i*p.elem.size))
		} else {
			c.fresh(p.elem, v)
		}
	}
	m.data, m.len = x.data, x.len
}
