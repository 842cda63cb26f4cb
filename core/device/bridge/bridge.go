// Package bridge is the network of applications: bridges of network instances with their gateway
// address, DHCP and DNS service, NAT, port maps and access rules, and the interfaces of guests. The
// only caller for these is zedrouter; what the metadata service tells guests is offered by msrv,
// and the flow log is collected by zedrouter-flows.
//
// As in package nic, configuration is a set of items with specs; Set and Clear carry them out and
// ItemSeen shows what is applied. A guest's interface (VIF) is made by the hypervisor; a VIF item
// says how it is to be attached once it appears, and VifSeen shows that it has.
package bridge

import (
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/network"
)

// BridgeSpec is a bridge. Key "bridge/<name>".
type BridgeSpec struct {
	MAC  string
	MTU  uint16
	Addr netip.Prefix // gateway address, zero for none
	// Ports are interfaces of the device enslaved to it (switch network instances only).
	Ports []string
	// STP runs the spanning tree protocol: on where several ports may close a loop.
	STP bool
	// ForwardLLDP lets link layer discovery through.
	ForwardLLDP bool
}

// Host is a DHCP reservation and the name it resolves by.
type Host struct {
	MAC  string
	IP   netip.Addr
	Name string // DHCP host name: the application's UUID
}

// Name is a static DNS entry.
type Name struct {
	Name string
	IPs  []netip.Addr
}

// DNSServer is an upstream server and the interface it is asked through.
type DNSServer struct {
	Addr   netip.Addr
	IfName string
}

// ServiceSpec is the DHCP and DNS service of a bridge. Key "service/<bridge>". The DNS service asks
// only its upstream servers.
type ServiceSpec struct {
	Subnet    netip.Prefix
	Gateway   netip.Addr // the bridge; router option unless NoDefault
	Start     netip.Addr
	End       netip.Addr
	NoDefault bool // advertise no default route
	Domain    string
	DNS       []netip.Addr // servers given to guests; empty: the bridge itself
	NTP       []string
	MTU       uint16
	LeaseTime time.Duration
	Upstream  []DNSServer
	Hosts     []Host // by MAC
	Names     []Name // by name
	// Routes are told to guests (option 121), with the gateway that a guest is to use.
	Routes []network.IPRouteStatus
	// FlowLog has Flows tell what names are asked for, of guests whose interface has it, too.
	FlowLog bool
}

// NATSpec lets a subnet out through ports. Key "nat/<bridge>".
type NATSpec struct {
	Subnet netip.Prefix
	Out    []string // interface names
	Table  int      // routing table of the network instance, 800 + bridge number
	Via    string   // interface of the default route, empty for none
	Routes []Route  // of the table beside the default route, by destination
}

// Route leads a destination out through a port.
type Route struct {
	Dst     netip.Prefix
	Gateway netip.Addr // zero: the destination is on the link
	Out     string     // interface name
}

// PortMap forwards a port of the device to a guest, for what comes from outside and for other
// guests of the device that speak to the port's address. An interface with a map that this machine
// cannot serve is not set: FaultUnsupported, with the map and the reason in its text.
type PortMap struct {
	Protocol string   // "tcp", "udp"; any other is FaultRefused
	In       []string // interface names it listens on
	Port     uint16
	Target   netip.Addr
	ToPort   uint16
	From     netip.Prefix // allowed remotes; zero: all
	RuleID   int32
}

// Rule is one access rule, in order; the first match wins and what matches none is dropped.
type Rule struct {
	RuleID   int32
	Protocol string       // "", "tcp", "udp", "icmp", "icmpv6" or a number
	Remote   netip.Prefix // zero: any
	Host     string       // remote domain name, suffix match; empty: any
	FPort    uint16       // remote port, 0: any
	LPort    uint16       // local port, 0: any
	Drop     bool
	Rate     int // accept up to Rate per Unit packets, then drop; 0: no limit
	Unit     string
	Burst    int
}

// VifSpec attaches a guest's interface. Key "vif/<name>". Rules take effect for existing flows at
// once; a change of rules or port maps never touches the interface.
type VifSpec struct {
	Bridge   string
	MAC      string
	IP       netip.Addr // zero on a switch network instance
	MTU      uint16
	AppID    string
	Adapter  string // name of the adapter in the application
	Network  string // UUID of the network instance
	Rules    []Rule
	PortMaps []PortMap
	VLAN     uint16 // access VLAN, 0: trunk
	Up       bool   // plugged in; while it is not, nothing passes and no port is mapped
	// BPDUGuard cuts off a guest that speaks the spanning tree protocol.
	BPDUGuard bool
	// FlowLog has Flows tell what its guest exchanges with whom.
	FlowLog bool
}

// Spec is what an item is to be; exactly one field is set.
type Spec struct {
	Bridge  *BridgeSpec
	Service *ServiceSpec
	NAT     *NATSpec
	Vif     *VifSpec
}

// ItemSeen is an item as applied.
type ItemSeen struct {
	Item string
	Spec Spec
}

// Key is the item's.
func (i ItemSeen) Key() string { return i.Item }

// MaxItems bounds the items: those of 255 instances, and 64 interfaces of each of 255 guests.
const MaxItems = 20_000

// Items is the topic of applied items. What serves an instance moves with every application on it,
// in bursts.
var Items = bus.NewTopic[ItemSeen](bus.Decl{
	Owner: "bridge", Name: "ItemSeen", MaxRows: MaxItems, MaxBytes: 256 << 10, MaxPuts: 3000})

// VifSeen is a guest's interface that exists.
type VifSeen struct {
	Vif      string
	Attached bool         // to the bridge of its item, and up
	IPs      []netip.Addr // what the guest was seen to use, sorted
}

// Key is the interface name.
func (v VifSeen) Key() string { return v.Vif }

// Vifs is the topic of guests' interfaces.
var Vifs = bus.NewTopic[VifSeen](bus.Decl{
	Owner: "bridge", Name: "VifSeen", MaxRows: MaxItems})

// SetReq makes an item be as its spec says.
type SetReq struct {
	Item string
	Spec Spec
}

// ClearReq removes an item.
type ClearReq struct{ Item string }

// None is an empty result.
type None struct{}

// Set and Clear configure. Clearing a bridge with items on it: FaultBusy.
var (
	Set = agent.NewOp[SetReq, None](agent.OpDecl{
		Name: "bridge.Set", Limit: 30 * time.Second, Width: 4})
	Clear = agent.NewOp[ClearReq, None](agent.OpDecl{
		Name: "bridge.Clear", Limit: 30 * time.Second, Width: 4})
)

// Fault codes.
const (
	FaultMissing     = "missing"     // a base item or interface does not exist; Retry
	FaultBusy        = "busy"        // another item stands on it; Retry
	FaultUnsupported = "unsupported" // this machine cannot do it; Text names what it lacks
	FaultRefused     = "refused"     // the spec makes no sense or a port is taken
	FaultFailed      = "failed"      // the machine refused for another reason; Retry
)

// CountersReq asks for all counters.
type CountersReq struct{}

// Counter of one guest interface, from the guest's view.
type Counter struct {
	Vif                              string
	TxBytes, RxBytes, TxPkts, RxPkts uint64
	TxDrops, RxDrops                 uint64
	TxACLDrops, RxACLDrops           uint64
}

// CountersRes lists counters by interface.
type CountersRes struct{ Counters []Counter }

// Counters samples the counters of guests' interfaces.
var Counters = agent.NewOp[CountersReq, CountersRes](agent.OpDecl{
	Name: "bridge.Counters", Class: "bridge.query", Limit: 5 * time.Second, Query: true})
