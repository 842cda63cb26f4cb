// Package nic is the device's own network: links, addresses, DHCP client, routes, name service. Its
// only caller is nim.
//
// Configuration is a set of items. An item has a key ("dhcp/eth0") and a spec; nic.Set makes the
// item be as the spec says (creating or modifying it), nic.Clear removes it. What is applied comes
// back as ItemSeen with the same spec. Items depend on each other (a VLAN on its parent link, a
// DHCP client on its link); the part refuses an item whose base is missing with FaultMissing and
// does not order anything itself: that is the planner's work in the agent.
//
// An item is seen as long as all of it is there. What somebody else on the device took away is not
// put back by the part: the item vanishes, or shows what is there instead, and its caller sets it
// again if it is still wanted. An item that is not seen stands on nothing; it goes with its base.
package nic

import (
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// LinkSeen is a network interface that exists. Physical interfaces exist from boot on; VLANs appear
// when an item made them.
type LinkSeen struct {
	IfName   string
	Index    int
	MAC      string // lower case, colons; empty: it has none
	PCIAddr  string // of a physical interface, if known
	Physical bool
	Kind     string // "ether", "vlan", "bond", "bridge", "wlan", "wwan", "wireguard"
	Parent   string // of a VLAN
	VLAN     uint16 // of a VLAN
	Up       bool   // administratively
	LowerUp  bool   // carrier
	MTU      uint16
	UsedBy   string // application that owns it by pass-through, empty for the host
}

// Key is the interface name.
func (l LinkSeen) Key() string { return l.IfName }

// Links is the topic of interfaces.
var Links = bus.NewTopic[LinkSeen](bus.Decl{Owner: "nic", Name: "LinkSeen"})

// AddrSeen is the addressing of one interface.
type AddrSeen struct {
	IfName  string
	Addrs   []netip.Prefix // sorted; link-local ones included
	Routers []netip.Addr   // default routers: fixed, then learned; a route item puts them to use
	DNS     []netip.Addr   // learned (DHCP, RA), in the order given
	NTP     []string       // learned
	Domain  string         // learned
	WPAD    string         // learned (DHCP option 252)
	Lease   time.Duration  // since boot: when the IPv4 lease ends, 0 without one
}

// Key is the interface name.
func (a AddrSeen) Key() string { return a.IfName }

// Addrs is the topic of addresses.
var Addrs = bus.NewTopic[AddrSeen](bus.Decl{Owner: "nic", Name: "AddrSeen"})

// LinkSpec brings a physical interface up, with an MTU or, where it is 0, the one it has. Key
// "link/<ifname>".
type LinkSpec struct{ MTU uint16 }

// VLANSpec makes a VLAN sub-interface. Key "vlan/<ifname>".
type VLANSpec struct {
	Parent string // interface name
	ID     uint16
	MTU    uint16
}

// StaticSpec gives an interface a fixed address. Key "static/<ifname>".
type StaticSpec struct {
	Addr    netip.Prefix
	Gateway netip.Addr // zero or unspecified: no default route
}

// DHCPSpec runs clients on an interface: DHCPv4, and for IPv6 router advertisements with SLAAC and
// DHCPv6 as they ask for. Key "dhcp/<ifname>". It is applied as soon as the clients run; addresses
// show later in AddrSeen and disappear when their lease ends, when the server refuses to go on, and
// with the carrier. Another Gateway leaves the clients and their addresses alone.
type DHCPSpec struct {
	V4, V6      bool
	VendorClass string
	// Gateway overrides the learned default router: zero as learned, unspecified means none.
	Gateway netip.Addr
}

// RouteSpec is the per-port routing of an interface: default routes with the metric, and the table
// of the port with the rule "from <source address>". They follow the addresses and routers of the
// interface. Without the item nothing of the port leaves its link. Key "route/<ifname>".
type RouteSpec struct {
	Metric int // 5000+rank for management ports, 10000+rank for others
	Table  int // 500 + interface index
}

// DNSServer is an upstream server and the interface it is asked through.
type DNSServer struct {
	Addr   netip.Addr
	IfName string
}

// ResolvSpec is the device's own name service. Key "resolv/global".
type ResolvSpec struct {
	Servers []DNSServer // in order of use
	Search  []string
}

// Spec is what an item is to be; exactly one field is set, and it fits the item's kind.
type Spec struct {
	Link      *LinkSpec
	VLAN      *VLANSpec
	WireGuard *WireGuardSpec `json:",omitempty"`
	Static    *StaticSpec
	DHCP      *DHCPSpec
	Route     *RouteSpec
	Resolv    *ResolvSpec
}

// ItemSeen is an item as applied.
type ItemSeen struct {
	Item string
	Spec Spec
}

// Key is the item's.
func (i ItemSeen) Key() string { return i.Item }

// Items is the topic of applied items.
var Items = bus.NewTopic[ItemSeen](bus.Decl{Owner: "nic", Name: "ItemSeen"})

// SetReq makes an item be as its spec says.
type SetReq struct {
	Item string
	Spec Spec
}

// ClearReq removes an item.
type ClearReq struct{ Item string }

// None is an empty result.
type None struct{}

// Set and Clear configure. An item that another one stands on is not cleared: FaultBusy.
var (
	Set   = agent.NewOp[SetReq, None](agent.OpDecl{Name: "nic.Set", Limit: 30 * time.Second, Width: 4})
	Clear = agent.NewOp[ClearReq, None](agent.OpDecl{
		Name: "nic.Clear", Limit: 30 * time.Second, Width: 4})
)

// Fault codes.
const (
	FaultMissing     = "missing"     // the interface or base item does not exist; Retry
	FaultBusy        = "busy"        // another item stands on it; Retry
	FaultUnsupported = "unsupported" // this machine cannot do it; Text names what it lacks
	FaultRefused     = "refused"     // the spec makes no sense
	FaultFailed      = "failed"      // the kernel did not do it and Text has its words; Retry
)

// LeastMTU is the least MTU that an item may ask for; 0 asks for none.
const LeastMTU = 68

// CountersReq asks for all interface counters.
type CountersReq struct{}

// Counter of one interface.
type Counter struct {
	IfName                               string
	TxBytes, RxBytes, TxPkts, RxPkts     uint64
	TxDrops, RxDrops, TxErrors, RxErrors uint64
}

// CountersRes lists counters by interface name; they never go back within a boot.
type CountersRes struct{ Counters []Counter }

// Counters samples the interface counters.
var Counters = agent.NewOp[CountersReq, CountersRes](agent.OpDecl{
	Name: "nic.Counters", Class: "nic.query", Limit: 5 * time.Second, Query: true})
