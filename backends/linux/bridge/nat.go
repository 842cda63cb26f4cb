package bridge

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// translation is the table inet, as chains by name.
type translation struct {
	chains map[string]chain
	// outs are the ports that subnets leave through, ours the bridges, local those with an address;
	// sorted.
	outs, ours, local []string
}

// hook is where a chain of the table inet begins.
type hook struct {
	kind nftables.ChainType
	at   *nftables.ChainHook
	prio int32
}

// hooks of the chains of the table inet that have one.
func hooks() map[string]hook {
	return map[string]hook{
		"dnat":    {nftables.ChainTypeNAT, nftables.ChainHookPrerouting, -100},
		"around":  {nftables.ChainTypeFilter, nftables.ChainHookPrerouting, -90},
		"input":   {nftables.ChainTypeFilter, nftables.ChainHookInput, 0},
		"forward": {nftables.ChainTypeFilter, nftables.ChainHookForward, 0},
		"output":  {nftables.ChainTypeFilter, nftables.ChainHookOutput, 0},
		"snat":    {nftables.ChainTypeNAT, nftables.ChainHookPostrouting, 100},
	}
}

// items are the keys of a kind, sorted, without the kind.
func (m *machine) items(kind string) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(m.specs)) {
		if name, ok := strings.CutPrefix(key, kind+"/"); ok {
			out = append(out, name)
		}
	}
	return out
}

// translation is what the table inet should be, with the addresses that ports have now.
func (m *machine) translation(d *dump) *translation {
	t := &translation{chains: map[string]chain{}}
	var dnat, forward, snat chain
	for _, name := range m.items("bridge") {
		t.ours = append(t.ours, name)
		if m.gateway(name).IsValid() {
			t.local = append(t.local, name)
		}
	}
	forward.add(among(expr.MetaKeyIIFNAME, "outs"), among(expr.MetaKeyOIFNAME, "outs"), drop())
	forward.add(clamp())
	for _, name := range m.items("vif") {
		m.mapPorts(name, d, t, &dnat, &forward)
	}
	for _, name := range m.items("nat") {
		n := m.spec("nat/" + name).NAT
		snat.add(oif(name), flowMarked(markAround), match{&expr.Masq{}})
		for _, out := range n.Out {
			t.outs = append(t.outs, out)
			snat.add(oif(out), within(src, n.Subnet), match{&expr.Masq{}})
		}
	}
	slices.Sort(t.outs)
	t.outs = slices.Compact(t.outs)
	t.chains["dnat"], t.chains["forward"], t.chains["snat"] = dnat, forward, snat
	t.chains["around"] = chain{rule(among(expr.MetaKeyIIFNAME, "local"), flowMarked(markAround),
		mark(markAround))}
	t.chains["output"] = chain{rule(among(expr.MetaKeyOIFNAME, "ours"), mark(markLocal))}
	t.chains["input"] = m.input()
	return t
}

// mapPorts forwards the ports that a VIF maps: for what comes from outside, and for guests, whose
// packets are checked here by the rules of the VIF, because on the bridge they come from the
// gateway, so that answers come back through it.
func (m *machine) mapPorts(vif string, d *dump, t *translation, dnat, forward *chain) {
	v := m.spec("vif/" + vif).Vif
	if !v.Up {
		return
	}
	targets := map[netip.Addr]bool{}
	for _, p := range v.PortMaps {
		proto, ok := number(p.Protocol)
		if !ok {
			continue
		}
		for _, in := range p.In {
			for _, a := range d.addresses(in) {
				if a.Is4() != p.Target.Is4() {
					continue
				}
				what := rule(is(dst, a), l4(proto), port(dst, p.Port))
				if p.From.IsValid() {
					what = rule(within(src, p.From), what)
				}
				dnat.add(iif(in), what, counted(), to(p))
				dnat.add(among(expr.MetaKeyIIFNAME, "local"), what, counted(), markFlow(markAround),
					to(p))
			}
		}
		targets[p.Target] = true
	}
	if len(targets) == 0 {
		return
	}
	var hair chain
	hair.access(v.Rules, toGuest, append(mark(markHair), accept()...), drop())
	t.chains["hair_"+vif] = hair
	for _, a := range slices.SortedFunc(maps.Keys(targets), netip.Addr.Compare) {
		forward.add(oif(v.Bridge), is(dst, a), flowMarked(markAround), forth(), jump("hair_"+vif))
	}
}

// to changes the destination of a packet.
func to(p device.PortMap) match {
	kind := uint32(unix.NFPROTO_IPV6)
	if p.Target.Is4() {
		kind = unix.NFPROTO_IPV4
	}
	return match{&expr.Immediate{Register: 1, Data: p.Target.AsSlice()},
		&expr.Immediate{Register: 2, Data: []byte{byte(p.ToPort >> 8), byte(p.ToPort)}},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: kind, RegAddrMin: 1, RegProtoMin: 2}}
}

// clamp lowers the segment size of new connections to what their path takes.
func clamp() match {
	return append(l4(unix.IPPROTO_TCP),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{2}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0}},
		&expr.Rt{Register: 1, Key: expr.RtTCPMSS},
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 2, Size: 2},
		&expr.Exthdr{SourceRegister: 1, Type: 2, Offset: 2, Len: 2, Op: expr.ExthdrOpTcpopt})
}

// input is what guests may ask of the device itself: addresses, names, metadata, echo.
func (m *machine) input() chain {
	var c chain
	guest := func(parts ...match) {
		c.add(append([]match{among(expr.MetaKeyIIFNAME, "local")}, parts...)...)
	}
	guest(marked(markReply), drop())
	for _, p := range []uint16{53, 67, 547} {
		guest(l4(unix.IPPROTO_UDP), port(dst, p), accept())
	}
	guest(l4(unix.IPPROTO_TCP), port(dst, 53), accept())
	guest(is(dst, device.MetadataAddr()), l4(unix.IPPROTO_TCP), port(dst, device.MetadataPort),
		accept())
	guest(l4(unix.IPPROTO_ICMP), accept())
	guest(l4(unix.IPPROTO_ICMPV6), accept())
	guest(match{&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		bits(expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED, 0), notZero()}, accept())
	guest(drop())
	return c
}

// translate replaces the table inet as a whole, at once. Connections that are open keep their
// translation.
func (m *machine) translate(d *dump) error {
	f, err := m.k.fence()
	if err != nil {
		return err
	}
	defer f.close()
	x := m.translation(d)
	t := f.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: table})
	f.DelTable(t)
	m.inet = x.sizes()
	if len(x.ours) == 0 {
		m.ports, m.members = "", ""
		return f.commit("take the translation away")
	}
	t = f.AddTable(t)
	for name, list := range map[string][]string{"outs": x.outs, "ours": x.ours, "local": x.local} {
		var members []nftables.SetElement
		for _, l := range list {
			members = append(members, nftables.SetElement{Key: ifname(l)})
		}
		err := f.AddSet(&nftables.Set{Table: t, Name: name, KeyType: nftables.TypeIFName}, members)
		if err != nil {
			return fmt.Errorf("make set %s: %w", name, err)
		}
	}
	names := slices.Sorted(maps.Keys(x.chains))
	for _, name := range names {
		c := &nftables.Chain{Table: t, Name: name}
		if h, ok := hooks()[name]; ok {
			c.Type, c.Hooknum, c.Priority = h.kind, h.at, nftables.ChainPriorityRef(
				nftables.ChainPriority(h.prio))
		}
		f.AddChain(c)
	}
	for _, name := range names {
		f.write(t, name, x.chains[name])
	}
	m.ports, m.members = d.portsOf(m), x.members()
	return f.commit("put the translation in force")
}

// portsOf are the addresses of the ports that are mapped, as text.
func (d *dump) portsOf(m *machine) string {
	seen := map[string]bool{}
	for _, vif := range m.items("vif") {
		for _, p := range m.spec("vif/" + vif).Vif.PortMaps {
			for _, in := range p.In {
				seen[in] = true
			}
		}
	}
	var out strings.Builder
	for _, in := range slices.Sorted(maps.Keys(seen)) {
		fmt.Fprintln(&out, in, d.addresses(in))
	}
	return out.String()
}

// members are the interfaces in the sets, as text.
func (t *translation) members() string { return fmt.Sprint(t.outs, t.ours, t.local) }

// sizes are the numbers of rules of the chains.
func (t *translation) sizes() map[string]int {
	if len(t.ours) == 0 {
		return nil
	}
	out := map[string]int{}
	for name, c := range t.chains {
		out[name] = len(c)
	}
	return out
}
