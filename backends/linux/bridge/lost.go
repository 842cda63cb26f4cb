package bridge

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// What access rules drop of an interface with a flow log is counted by its ends, in sets that the
// kernel fills: four of a VIF, for two directions and two families. Nobody has to listen, a packet
// that is dropped costs a look into a hash table, and a set that is full costs the ends and never
// the drop.

const (
	// lostEnds bounds the ends in a set.
	lostEnds = 2048
	// lostLife is how long they wait for a collection.
	lostLife = time.Hour
	// lostRules is the number of rules of a chain of drops.
	lostRules = 7
)

// lostSides are the directions, as chains and sets are named.
var lostSides = []string{"from", "to"}

func lostChain(side, vif string) string { return "lost_" + side + "_" + vif }

// lostSet is the set of ends of a direction and family.
func lostSet(side, vif string, is4 bool) (*nftables.Set, error) {
	name, addr := "lost6_", nftables.TypeIP6Addr
	if is4 {
		name, addr = "lost4_", nftables.TypeIPAddr
	}
	kind, err := nftables.ConcatSetType(addr, addr, nftables.TypeInetProto,
		nftables.TypeInetService, nftables.TypeInetService)
	if err != nil {
		return nil, fmt.Errorf("make the type of a set of ends: %w", err)
	}
	return &nftables.Set{Table: bridgeTable(), Name: name + side + "_" + vif, KeyType: kind,
		Concatenation: true, Dynamic: true, HasTimeout: true, Timeout: lostLife,
		Size: lostEnds}, nil
}

// noted is the end of a packet that no rule admits: by way of the chain that notes its ends, if
// there is a flow log.
func noted(side, vif string, v *device.VifSpec, name string) match {
	if v.FlowLog {
		return match{&expr.Verdict{Kind: expr.VerdictGoto, Chain: lostChain(side, vif)}}
	}
	return refused(name)
}

// register is the first of those that hold four bytes each.
const register = unix.NFT_REG32_00

// ends notes the ends of packets of a family, and of a protocol that has ports, or, with 0, of all
// that are not TCP or UDP.
func ends(is4 bool, proto uint8, set *nftables.Set) match {
	out, size := six(), uint32(16)
	if is4 {
		out, size = four(), 4
	}
	if proto != 0 {
		out = append(out, l4(proto)...)
	} else {
		for _, p := range []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
			out = append(out, meta(expr.MetaKeyL4PROTO, expr.CmpOpNeq, []byte{p})...)
		}
	}
	at := uint32(register)
	for _, end := range []int{src, dst} {
		a := addrOf(end, is4)
		a.DestRegister = at
		out = append(out, a)
		at += size / 4
	}
	out = append(out, &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: at})
	for _, end := range []uint32{src, dst} {
		at++
		if proto == 0 {
			out = append(out, &expr.Immediate{Register: at, Data: make([]byte, 4)})
		} else {
			out = append(out, &expr.Payload{DestRegister: at, Base: expr.PayloadBaseTransportHeader,
				Offset: 2 * end, Len: 2})
		}
	}
	return append(out, &expr.Dynset{SrcRegKey: register, SetName: set.Name, SetID: set.ID,
		Operation: uint32(unix.NFT_DYNSET_OP_ADD), Exprs: []expr.Any{&expr.Counter{}}})
}

// note makes the chains and sets of drops of a VIF.
func (f *fence) note(t *nftables.Table, vif string) error {
	for i, counter := range []string{dropsFrom(vif), dropsTo(vif)} {
		side := lostSides[i]
		var c chain
		for _, is4 := range []bool{true, false} {
			set, err := lostSet(side, vif, is4)
			if err == nil {
				err = f.AddSet(set, nil)
			}
			if err != nil {
				return fmt.Errorf("make the set of what is dropped of %s: %w", vif, err)
			}
			for _, proto := range []uint8{unix.IPPROTO_TCP, unix.IPPROTO_UDP, 0} {
				c.add(ends(is4, proto, set))
			}
		}
		c.add(refused(counter))
		f.write(t, lostChain(side, vif), c)
	}
	return nil
}

// unnote takes the chains and sets of drops of a VIF away, if they are there; no rule leads there
// any more.
func (f *fence) unnote(t *nftables.Table, vif string) error {
	for _, side := range lostSides {
		x := f.AddChain(&nftables.Chain{Table: t, Name: lostChain(side, vif)})
		f.FlushChain(x)
		f.DelChain(x)
		for _, is4 := range []bool{true, false} {
			set, err := lostSet(side, vif, is4)
			if err == nil {
				err = f.AddSet(set, nil)
			}
			if err != nil {
				return fmt.Errorf("find the set of what is dropped of %s: %w", vif, err)
			}
			f.DelSet(set)
		}
	}
	return nil
}

// noting reports whether the drops of a VIF are noted, by the numbers of rules of chains.
func noting(counts map[string]int, vif string) bool {
	return slices.ContainsFunc(lostSides, func(side string) bool {
		return counts["bridge "+lostChain(side, vif)] > 0
	})
}

// notes reports whether the chains of drops of a VIF are as they should be.
func (d *dump) notes(vif string, v *device.VifSpec) bool {
	for _, side := range lostSides {
		n := d.counts["bridge "+lostChain(side, vif)]
		if v.FlowLog && n != lostRules || !v.FlowLog && n != 0 {
			return false
		}
	}
	return true
}

// lost are the ends of packets of a VIF that were dropped since they were taken last; and takes
// them.
func (f *fence) lost(vif string) (out []ending, err error) {
	now := time.Now()
	for _, side := range lostSides {
		for _, is4 := range []bool{true, false} {
			set, err := lostSet(side, vif, is4)
			if err != nil {
				return nil, err
			}
			list, err := f.GetSetElements(set)
			if err != nil {
				return nil, fmt.Errorf("read what was dropped of %s: %w", vif, err)
			}
			var taken []nftables.SetElement
			for _, e := range list {
				x, ok := readEnding(e.Key, is4)
				if !ok || e.Counter == nil || e.Expires < time.Minute {
					continue // it goes by itself
				}
				x.out = side == "from"
				x.bytes, x.packets = e.Counter.Bytes, e.Counter.Packets
				x.began = now.Add(e.Expires - lostLife)
				out = append(out, x)
				taken = append(taken, nftables.SetElement{Key: e.Key})
			}
			if len(taken) > 0 {
				if err := f.SetDeleteElements(set, taken); err != nil {
					return nil, fmt.Errorf("take what was dropped of %s: %w", vif, err)
				}
			}
		}
	}
	return out, f.commit("take what was dropped of %s", vif)
}

// ending is the ends of packets, as they stand in them.
type ending struct {
	out            bool // the guest sent them
	src, dst       netip.Addr
	proto          uint8
	sport, dport   uint16
	began          time.Time
	bytes, packets uint64
}

// readEnding reads the key of a set.
func readEnding(key []byte, is4 bool) (x ending, ok bool) {
	size := 16
	if is4 {
		size = 4
	}
	if len(key) != 2*size+12 {
		return x, false
	}
	x.src, _ = netip.AddrFromSlice(key[:size])
	x.dst, _ = netip.AddrFromSlice(key[size : 2*size])
	x.proto = key[2*size]
	x.sport = binary.BigEndian.Uint16(key[2*size+4:])
	x.dport = binary.BigEndian.Uint16(key[2*size+8:])
	return x, true
}
