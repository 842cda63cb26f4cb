package conform

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/nic"
)

// NicSetup is a part nic to check. It has two interfaces, eth0 and eth1, with NicMAC0 and NicMAC1,
// each with its cable in, and what stands in NicWorld behind them.
type NicSetup struct {
	Setup
	// Cable pulls the cable of an interface, or puts it in; on the device's loop.
	Cable func(ifname string, in bool)
	// Serve has the DHCP server behind eth0 give addresses out, or kills it; on the device's loop.
	Serve func(on bool)
	// Renumber gives the network behind eth0 another subnet, or its own one back; on the device's
	// loop.
	Renumber func(other bool)
	// Meddle has somebody else on the device take away what an item put there; on the device's loop.
	Meddle func(item string)
	// Secret makes a secret known to the device, and returns its reference; on the device's loop.
	Secret func(text string) (ref string)
	// Carries has the other end of a tunnel, behind eth0, with TunnelFar as it says: it sends a packet
	// through the tunnel and reports whether it is answered. Nil: tunnels of this backend carry
	// nothing.
	Carries func() error
	// Via is the router that packets from an address of eth0 take to a host far away, empty without
	// one; on the device's loop.
	Via func(src netip.Addr) string
}

// What is behind the interfaces, for every backend to build. NicWorld is in the format of network
// models; "other" is the subnet after Renumber.
const (
	NicMAC0  = "02:00:00:00:99:00"
	NicMAC1  = "02:00:00:00:99:01"
	NicWorld = `{
  "ports": [
    {"logicalLabel": "p0", "adminUP": true, "eveConnect": {"mac": "` + NicMAC0 + `"}},
    {"logicalLabel": "p1", "adminUP": true, "eveConnect": {"mac": "` + NicMAC1 + `"}}],
  "bridges": [{"logicalLabel": "b0", "ports": ["p0"]}, {"logicalLabel": "b1", "ports": ["p1"]}],
  "networks": [
    {"logicalLabel": "lan", "bridge": "b0", "subnet": "10.99.0.0/24", "gwIP": "10.99.0.1", "dhcp":
      {"enable": true, "ipRange": {"fromIP": "10.99.0.50", "toIP": "10.99.0.50"},
       "domainName": "lan.example", "publicDNS": ["10.99.0.1", "10.99.0.2"],
       "publicNTP": "10.99.0.3", "wpad": "http://wpad.example/wpad.dat"}},
    {"logicalLabel": "tagged", "bridge": "b0", "vlanID": 5, "subnet": "10.99.5.0/24",
     "gwIP": "10.99.5.1", "dhcp":
      {"enable": true, "ipRange": {"fromIP": "10.99.5.50", "toIP": "10.99.5.50"}}},
    {"logicalLabel": "six", "bridge": "b1", "subnet": "fd00:99::/64", "gwIP": "fd00:99::1", "dhcp":
      {"enable": true, "publicDNS": ["fd00:99::1"]}}]}`
	nicOther   = "10.98.0.0/24"
	nicLease   = "10.99.0.50/24"
	nicRenewed = "10.98.0.50/24"
	nicSix     = "fd00:99::ff:fe00:9901/64"
)

// Needs of cases on part nic.
const (
	NeedsVLAN   = "VLAN (8021q)"
	NeedsNoVLAN = "a kernel without VLAN"
)

// NicOther is the subnet of the network behind eth0 after Renumber.
func NicOther() netip.Prefix { return netip.MustParsePrefix(nicOther) }

// Nic checks a part nic on a backend. mk makes one; it is called more than once and cleans up with
// t.
func Nic(t *testing.T, b Backend, mk func(t *testing.T) NicSetup) {
	s := suite[*nicBench]{part: "nic", groups: nicCases(), show: map[string]func(any) string{
		nic.Links.String(): unless(showLink), nic.Addrs.String(): unless(showAddrs),
		nic.Items.String(): showItem}}
	s.run(t, b, func(t *testing.T) *nicBench { return newNicBench(t, mk) })
}

// unless leaves out a text that is the same as the one before of its first word: what differs is
// nothing that is shown. Before the first, there is nothing.
func unless(show func(any) string) func(any) string {
	last := map[string]string{}
	return func(row any) string {
		text := show(row)
		name, _, _ := strings.Cut(text, " ")
		if text == "" || text == cmp.Or(last[name], name+nicNothing) {
			return ""
		}
		last[name] = text
		return text
	}
}

// nicNothing is how the row of an interface without addresses reads.
const nicNothing = " nothing"

// showLink leaves out what numbers interfaces and buses.
func showLink(row any) string {
	l := *row.(*nic.LinkSeen)
	l.Index, l.PCIAddr = 0, ""
	return fmt.Sprintf("%s %+v", l.IfName, l)
}

// showAddrs leaves out when a lease ends, and link-local addresses, whose check for duplicates
// takes its time. Of IPv6 it shows what is whole: addresses and servers come in any order.
func showAddrs(row any) string {
	a := *row.(*nic.AddrSeen)
	lease := a.Lease > 0
	a.Lease = 0
	a.Addrs = slices.DeleteFunc(slices.Clone(a.Addrs),
		func(p netip.Prefix) bool { return p.Addr().IsLinkLocalUnicast() })
	six := func(p netip.Prefix) bool { return p.Addr().Is6() }
	routers := 0
	a.Routers = slices.DeleteFunc(slices.Clone(a.Routers), func(r netip.Addr) bool {
		if r.Is6() {
			routers++
		}
		return r.Is6()
	})
	if has := slices.ContainsFunc(a.Addrs, six); has != (routers > 0) ||
		has != slices.ContainsFunc(a.DNS, netip.Addr.Is6) {
		return ""
	}
	if len(a.Addrs)+routers+len(a.Routers)+len(a.DNS)+len(a.NTP) == 0 && !lease {
		return a.IfName + nicNothing
	}
	return fmt.Sprintf("%s %+v, lease %v, IPv6 routers %d", a.IfName, a, lease, routers)
}

func showItem(row any) string {
	i := row.(*nic.ItemSeen)
	return i.Item + " " + specText(i.Spec)
}

// nicBench is a device with a part nic alone.
type nicBench struct {
	itemBench[nic.ItemSeen, nic.SetReq, nic.ClearReq, nic.None]
	NicSetup
	links    *bus.Sub[nic.LinkSeen]
	addrs    *bus.Sub[nic.AddrSeen]
	counters *calls[nic.CountersReq, nic.CountersRes]
}

func newNicBench(t *testing.T, mk func(t *testing.T) NicSetup) *nicBench {
	t.Helper()
	x := &nicBench{NicSetup: mk(t), counters: newCalls(nic.Counters),
		itemBench: newItemBench(nic.Set, nic.Clear, func(i *nic.ItemSeen) any { return i.Spec })}
	x.bench = newBench(t, x.Setup, "nim", x.state, func(b *bench, p bus.Port) []looker {
		x.links, x.addrs = bus.Subscribe(p, nic.Links), bus.Subscribe(p, nic.Addrs)
		x.counters.attach(b, p)
		return append(x.attach(b, p, nic.Items), x.counters)
	})
	x.booted(t)
	return x
}

// booted waits until the part has looked at everything.
func (x *nicBench) booted(t *testing.T) {
	t.Helper()
	x.until(t, "complete tables", func() bool {
		return x.links.Complete() && x.addrs.Complete() && x.items.Complete()
	})
}

// apply sets an item and wants it seen.
func (x *nicBench) apply(t *testing.T, item string, s nic.Spec) {
	t.Helper()
	x.sets(t, item, nic.SetReq{Item: item, Spec: s}, s)
}

// drop clears an item and wants it gone.
func (x *nicBench) drop(t *testing.T, item string) {
	t.Helper()
	x.clears(t, item, nic.ClearReq{Item: item})
}

// has waits until an interface has exactly these addresses, beside link-local ones.
func (x *nicBench) has(t *testing.T, ifname string, want ...string) {
	t.Helper()
	x.until(t, ifname+" with "+strings.Join(want, " "), func() bool {
		return strings.Join(x.usable(ifname), " ") == strings.Join(want, " ")
	})
}

// usable lists the addresses of an interface beside link-local ones.
func (x *nicBench) usable(ifname string) []string {
	var out []string
	if row := x.addrs.Get(ifname); row != nil {
		for _, a := range row.Addrs {
			if !a.Addr().IsLinkLocalUnicast() {
				out = append(out, a.String())
			}
		}
	}
	return out
}

// meddles has somebody take an item away, and waits until that is seen.
func (x *nicBench) meddles(t *testing.T, item string) {
	t.Helper()
	x.outside(t, func() { x.Meddle(item) })
	x.lost(t, item)
}

// leaves wants packets from an address of eth0 to take a router, or none.
func (x *nicBench) leaves(t *testing.T, src, router string) {
	t.Helper()
	x.outside(t, func() {
		if got := x.Via(netip.MustParseAddr(src)); got != router {
			t.Errorf("packets from %s leave through %q, want %q", src, got, router)
		}
	})
}

// carrier waits for a carrier, or its loss.
func (x *nicBench) carrier(t *testing.T, ifname string, is bool) {
	t.Helper()
	x.until(t, fmt.Sprintf("%s with carrier %v", ifname, is), func() bool {
		l := x.links.Get(ifname)
		return l != nil && l.LowerUp == is
	})
}

// addrRow is the addressing of an interface as it is seen now.
func (x *nicBench) addrRow(t *testing.T, ifname string) (row nic.AddrSeen) {
	t.Helper()
	x.turn(t, func() {
		if a := x.addrs.Get(ifname); a != nil {
			row = *a
		}
	})
	return row
}

// Specs of items.
func linkSpec(mtu uint16) nic.Spec { return nic.Spec{Link: &nic.LinkSpec{MTU: mtu}} }

func dhcpSpec(gateway string) nic.Spec {
	d := &nic.DHCPSpec{V4: true, VendorClass: "conform"}
	if gateway != "" {
		d.Gateway = netip.MustParseAddr(gateway)
	}
	return nic.Spec{DHCP: d}
}

func staticSpec(addr, gateway string) nic.Spec {
	s := &nic.StaticSpec{Addr: netip.MustParsePrefix(addr)}
	if gateway != "" {
		s.Gateway = netip.MustParseAddr(gateway)
	}
	return nic.Spec{Static: s}
}

func routeSpec(metric, table int) nic.Spec {
	return nic.Spec{Route: &nic.RouteSpec{Metric: metric, Table: table}}
}

func vlanSpec(parent string, id uint16) nic.Spec {
	return nic.Spec{VLAN: &nic.VLANSpec{Parent: parent, ID: id}}
}

func resolvSpec(servers ...string) nic.Spec {
	s := &nic.ResolvSpec{Search: []string{"lan.example"}}
	for _, a := range servers {
		s.Servers = append(s.Servers, nic.DNSServer{Addr: netip.MustParseAddr(a), IfName: "eth0"})
	}
	return nic.Spec{Resolv: s}
}

// settled is how long a case waits to see that nothing happens.
const settled = 300 * time.Millisecond
