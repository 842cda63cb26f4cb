package bridge

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	mdlayher "github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// table is the name of our two tables: rules of the family bridge, translation of the family inet.
const table = "evetwin"

// hostLife is how long an address that a domain name was resolved to counts.
const hostLife = time.Hour

func dropsFrom(vif string) string { return "drops_from_" + vif }

func dropsTo(vif string) string { return "drops_to_" + vif }

// batch bounds a change of nftables in bytes, and the answers of the kernel: one for each rule.
const batch = 64 << 20

// fence is nftables of a namespace. It is opened for one change or one look.
type fence struct {
	*nftables.Conn
	ns netns.NsHandle
	k  *kernel
}

// fence opens nftables.
func (k *kernel) fence() (*fence, error) {
	ns, err := netns.GetFromPath(netspace.Path(k.Space))
	if err != nil {
		return nil, fmt.Errorf("open namespace %q: %w", k.Space, err)
	}
	c, err := nftables.New(nftables.WithNetNSFd(int(ns)), nftables.WithSockOptions(
		func(c *mdlayher.Conn) error {
			return errors.Join(c.SetReadBuffer(batch), c.SetWriteBuffer(batch))
		}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open nftables: %w", err), ns.Close())
	}
	return &fence{c, ns, k}, nil
}

func (f *fence) close() { _ = f.ns.Close() }

// commit makes all changes at once, or none.
func (f *fence) commit(what string, args ...any) error {
	return f.k.Did(f.Flush(), what, args...)
}

func bridgeTable() *nftables.Table {
	return &nftables.Table{Family: nftables.TableFamilyBridge, Name: table}
}

// write fills a chain, new or not.
func (f *fence) write(t *nftables.Table, name string, c chain) {
	x := f.AddChain(&nftables.Chain{Table: t, Name: name})
	f.FlushChain(x)
	for _, r := range c {
		f.AddRule(&nftables.Rule{Table: t, Chain: x, Exprs: r})
	}
}

// base makes the table of access rules, and has packets of guests go through their chains.
func (f *fence) base(vifs []string) (*nftables.Table, error) {
	t := f.AddTable(bridgeTable())
	for _, side := range []struct {
		chain, set string
		hook       *nftables.ChainHook
		key        expr.MetaKey
	}{{"arrive", "from", nftables.ChainHookPrerouting, expr.MetaKeyIIFNAME},
		{"leave", "to", nftables.ChainHookPostrouting, expr.MetaKeyOIFNAME}} {
		set := &nftables.Set{Table: t, Name: side.set, IsMap: true, KeyType: nftables.TypeIFName,
			DataType: nftables.TypeVerdict}
		if err := f.AddSet(set, nil); err != nil {
			return nil, fmt.Errorf("make map %s: %w", side.set, err)
		}
		f.FlushSet(set)
		for _, v := range vifs {
			err := f.SetAddElements(set, []nftables.SetElement{{Key: ifname(v),
				VerdictData: &expr.Verdict{Kind: expr.VerdictGoto, Chain: side.set + "_" + v}}})
			if err != nil {
				return nil, fmt.Errorf("add %s to map %s: %w", v, side.set, err)
			}
		}
		x := f.AddChain(&nftables.Chain{Table: t, Name: side.chain, Type: nftables.ChainTypeFilter,
			Hooknum: side.hook, Priority: nftables.ChainPriorityRef(-200)})
		f.FlushChain(x)
		f.AddRule(&nftables.Rule{Table: t, Chain: x, Exprs: []expr.Any{
			&expr.Meta{Key: side.key, Register: 1},
			&expr.Lookup{SourceRegister: 1, DestRegister: 0, IsDestRegSet: true, SetName: side.set,
				SetID: set.ID}}})
	}
	return t, nil
}

// fenced are the VIFs whose chains are in the kernel.
func fenced(counts map[string]int) []string {
	var out []string
	for name := range counts {
		if v, ok := strings.CutPrefix(name, "bridge from_"); ok && counts["bridge to_"+v] > 0 {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// fenceIn puts the access rules of a VIF in force, from one packet to the next.
func (m *machine) fenceIn(vif string, v *device.VifSpec) error {
	f, err := m.k.fence()
	if err != nil {
		return err
	}
	defer f.close()
	counts, err := m.k.counts()
	if err != nil {
		return err
	}
	vifs := fenced(counts)
	if !slices.Contains(vifs, vif) {
		vifs = append(vifs, vif)
	}
	gateway := m.gateway(v.Bridge)
	t := f.AddTable(bridgeTable())
	for _, name := range []string{dropsFrom(vif), dropsTo(vif)} {
		f.AddObj(&nftables.NamedObj{Table: t, Name: name, Type: nftables.ObjTypeCounter,
			Obj: &expr.Counter{}})
	}
	for _, host := range hosts(v.Rules) {
		for _, is4 := range []bool{true, false} {
			kind := nftables.TypeIP6Addr
			if is4 {
				kind = nftables.TypeIPAddr
			}
			err := f.AddSet(&nftables.Set{Table: t, Name: hostSet(host, is4), KeyType: kind,
				HasTimeout: true, Timeout: hostLife}, nil)
			if err != nil {
				return fmt.Errorf("make the set of %s: %w", host, err)
			}
		}
	}
	if v.FlowLog {
		err = f.note(t, vif)
	}
	f.write(t, "from_"+vif, leaving(vif, v, gateway))
	f.write(t, "to_"+vif, arriving(vif, v, gateway.IsValid()))
	if !v.FlowLog && noting(counts, vif) {
		err = f.unnote(t, vif)
	}
	if err != nil {
		return err
	}
	if _, err := f.base(vifs); err != nil {
		return err
	}
	return f.commit("put the access rules of %s in force", vif)
}

// fenceOut takes the chains of a VIF away.
func (m *machine) fenceOut(vif string) error {
	counts, err := m.k.counts()
	if err != nil {
		return err
	}
	if counts["bridge from_"+vif] == 0 && counts["bridge to_"+vif] == 0 {
		return nil
	}
	f, err := m.k.fence()
	if err != nil {
		return err
	}
	defer f.close()
	vifs := slices.DeleteFunc(fenced(counts), func(v string) bool { return v == vif })
	if len(vifs) == 0 {
		f.DelTable(bridgeTable())
		return f.commit("take all access rules away")
	}
	t, err := f.base(vifs)
	if err != nil {
		return err
	}
	for _, side := range []string{"from_", "to_"} {
		x := f.AddChain(&nftables.Chain{Table: t, Name: side + vif})
		f.FlushChain(x)
		f.DelChain(x)
	}
	if noting(counts, vif) {
		if err := f.unnote(t, vif); err != nil {
			return err
		}
	}
	for _, name := range []string{dropsFrom(vif), dropsTo(vif)} {
		f.AddObj(&nftables.NamedObj{Table: t, Name: name, Type: nftables.ObjTypeCounter,
			Obj: &expr.Counter{}})
		f.DeleteObject(&nftables.NamedObj{Table: t, Name: name, Type: nftables.ObjTypeCounter})
	}
	return f.commit("take the access rules of %s away", vif)
}

// gateway is the address of a bridge; invalid without one.
func (m *machine) gateway(bridge string) netip.Addr {
	if s := m.spec("bridge/" + bridge); s != nil {
		return s.Bridge.Addr.Addr()
	}
	return netip.Addr{}
}

// hosts are the domain names of rules, sorted.
func hosts(rules []device.Rule) []string {
	var out []string
	for i := range rules {
		if h := rules[i].Host; h != "" {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// counts is the number of rules of our chains, by "family chain".
func (k *kernel) counts() (map[string]int, error) {
	out := map[string]int{}
	err := netspace.Do(k.Space, func() error {
		q := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETRULE, unix.NLM_F_DUMP)
		q.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_UNSPEC})
		list, err := q.Execute(unix.NETLINK_NETFILTER, 0)
		if err != nil {
			return err
		}
		for _, b := range list {
			if len(b) < 4 {
				continue
			}
			attrs, err := nl.ParseRouteAttr(b[4:])
			if err != nil {
				return err
			}
			var in, name string
			for _, a := range attrs {
				switch a.Attr.Type {
				case unix.NFTA_RULE_TABLE:
					in = nl.BytesToString(a.Value)
				case unix.NFTA_RULE_CHAIN:
					name = nl.BytesToString(a.Value)
				}
			}
			if in == table {
				out[map[byte]string{unix.NFPROTO_BRIDGE: "bridge ", unix.NFPROTO_INET: "inet "}[b[0]]+
					name]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the rules of nftables: %w", err)
	}
	return out, nil
}
