package world

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// leaseTime is how long an address is given out for.
const leaseTime = time.Hour

// maxLeases limits how many clients one pool remembers.
const maxLeases = 1 << 16

// pool gives out the addresses of one IP version of a network.
type pool struct {
	base     netip.Addr          // first address of the range
	size     uint64              // addresses in the range; 0: none
	static   map[MAC]netip.Addr  //
	reserved map[netip.Addr]bool // of static entries, the router and neighbours
	leases   map[MAC]lease
	owner    map[netip.Addr]MAC
}

// lease is an address given out. It stays the client's after its end, until the pool has no
// other address left.
type lease struct {
	addr netip.Addr
	ends time.Time
}

// newPool is the pool of half a network; nil if it gives no addresses: DHCP is off, or IPv6
// without a range and entries, where clients form their own.
func (w *World) newPool(h *NetIP, bridge int, vlan uint16) *pool {
	d := &h.DHCP
	six := h.Subnet.Addr().Is6()
	if !d.Enable || six && !d.Range.From.IsValid() && len(d.Static) == 0 {
		return nil
	}
	p := &pool{
		static: map[MAC]netip.Addr{}, reserved: map[netip.Addr]bool{h.Gateway: true},
		leases: map[MAC]lease{}, owner: map[netip.Addr]MAC{},
	}
	switch {
	case d.Range.From.IsValid():
		p.base, p.size = d.Range.From, distance(d.Range.From, d.Range.To)+1
	case !six:
		p.hosts(h.Subnet)
	}
	for _, s := range d.Static {
		p.static[s.MAC], p.reserved[s.IP] = s.IP, true
	}
	for i := range w.ends {
		if w.ends[i].bridge == bridge && w.ends[i].DirectL2.VLAN == vlan {
			for _, a := range w.ends[i].addrs {
				p.reserved[a] = true
			}
		}
	}
	return p
}

// hosts makes all hosts of an IPv4 subnet the range.
func (p *pool) hosts(subnet netip.Prefix) {
	switch n := 32 - subnet.Bits(); n {
	case 0, 1:
		p.base, p.size = subnet.Addr(), 1<<n
	default:
		p.base, p.size = subnet.Addr().Next(), 1<<n-2
	}
}

// bind makes an address that choose found the client's.
func (p *pool) bind(mac MAC, a netip.Addr, now time.Time) {
	if old, had := p.leases[mac]; had && old.addr != a {
		delete(p.owner, old.addr)
	}
	p.leases[mac] = lease{a, now.Add(leaseTime)}
	p.owner[a] = mac
}

// choose finds the address of a client: its static one, the one it had, the one it wants if
// that is free, or one that its MAC leads to, so that it does not depend on who came first.
func (p *pool) choose(mac MAC, want netip.Addr, now time.Time) (netip.Addr, bool) {
	if a, ok := p.static[mac]; ok {
		return a, true
	}
	if l, ok := p.leases[mac]; ok {
		return l.addr, true
	}
	if want.IsValid() && p.free(want) && len(p.owner) < maxLeases {
		return want, true
	}
	if p.size == 0 {
		return netip.Addr{}, false
	}
	h := fnv.New64a()
	h.Write(mac[:])
	start := h.Sum64() % p.size
	tries := min(p.size, uint64(len(p.owner)+len(p.reserved)+1))
	for i := uint64(0); i < tries && len(p.owner) < maxLeases; i++ {
		// (start+i) mod size, without overflow.
		at := start + i
		if at < start || at >= p.size {
			at -= p.size
		}
		if a := offset(p.base, at); p.free(a) {
			return a, true
		}
	}
	return p.reclaim(now)
}

// free tells whether an address of the range belongs to nobody.
func (p *pool) free(a netip.Addr) bool {
	_, owned := p.owner[a]
	return !owned && !p.reserved[a] && p.covers(a)
}

func (p *pool) covers(a netip.Addr) bool {
	return p.size > 0 && a.BitLen() == p.base.BitLen() && !a.Less(p.base) &&
		distance(p.base, a) < p.size
}

// reclaim takes the address whose lease ended first.
func (p *pool) reclaim(now time.Time) (netip.Addr, bool) {
	var first lease
	for _, a := range slices.SortedFunc(maps.Keys(p.owner), netip.Addr.Compare) {
		who := p.owner[a]
		l := p.leases[who]
		if _, fixed := p.static[who]; fixed || l.ends.After(now) || !p.covers(a) || p.reserved[a] {
			continue
		}
		if !first.addr.IsValid() || l.ends.Before(first.ends) {
			first = l
		}
	}
	if first.addr.IsValid() {
		delete(p.leases, p.owner[first.addr])
		delete(p.owner, first.addr)
	}
	return first.addr, first.addr.IsValid()
}

// distance is b - a, at most 2^64 - 2.
func distance(a, b netip.Addr) uint64 {
	x, y := a.As16(), b.As16()
	lo, borrow := bits.Sub64(binary.BigEndian.Uint64(y[8:]), binary.BigEndian.Uint64(x[8:]), 0)
	hi, _ := bits.Sub64(binary.BigEndian.Uint64(y[:8]), binary.BigEndian.Uint64(x[:8]), borrow)
	if hi != 0 {
		return 1<<64 - 2
	}
	return min(lo, 1<<64-2)
}

// offset is a + n.
func offset(a netip.Addr, n uint64) netip.Addr {
	x := a.As16()
	lo, carry := bits.Add64(binary.BigEndian.Uint64(x[8:]), n, 0)
	binary.BigEndian.PutUint64(x[8:], lo)
	binary.BigEndian.PutUint64(x[:8], binary.BigEndian.Uint64(x[:8])+carry)
	if a.Is4() {
		return netip.AddrFrom16(x).Unmap()
	}
	return netip.AddrFrom16(x)
}
