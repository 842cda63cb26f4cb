package world

import "net/netip"

// Model is a network model as read: all labels resolve, all addresses lie where they should.
type Model struct {
	// File is the name that Parse was given, for messages.
	File string `json:"-"`
	// Unknown holds the paths of fields that Parse did not know and passed over.
	Unknown []string `json:"-"`

	Ports     []Port    `json:"ports"` // NICs of the device, in its order
	Bonds     []Bond    `json:"bonds"`
	Bridges   []Bridge  `json:"bridges"`
	Networks  []Network `json:"networks"`
	Endpoints Endpoints `json:"endpoints"`
	Firewall  Firewall  `json:"firewall"`
	Host      *Host     `json:"host"` // nil: both IP versions, addresses from Options
}

// Port is a cable between a NIC of the device and the network.
type Port struct {
	Label string `json:"logicalLabel"`
	MAC   MAC    `json:"mac"` // of the network's side
	// AdminUP is whether the cable is in; as in Eden, absent means out.
	AdminUP bool    `json:"adminUP"`
	Connect Connect `json:"eveConnect"`
	Traffic Traffic `json:"trafficControl"`
}

// Connect names the device's end of a cable.
type Connect struct {
	Instance string `json:"eveInstance"` // empty: the only device
	MAC      MAC    `json:"mac"`         // of the device's NIC; zero: the world makes one
}

// Traffic is how a cable treats packets. Zero is a good gigabit cable.
type Traffic struct {
	Delay     uint32 `json:"delay"`                // ms, each way
	Jitter    uint32 `json:"delayJitter"`          // ms, added or taken away
	Loss      uint8  `json:"lossProbability"`      // percent
	Corrupt   uint8  `json:"corruptProbability"`   // percent
	Duplicate uint8  `json:"duplicateProbability"` // percent
	Reorder   uint8  `json:"reorderProbability"`   // percent
	Rate      uint32 `json:"rateLimit"`            // kB/s; 0: 125 MB/s
	Queue     uint32 `json:"queueLimit"`           // kB; required with Rate
	Burst     uint32 `json:"burstLimit"`           // kB; required with Rate
}

// Bond aggregates ports on the network's side.
type Bond struct {
	Label string   `json:"logicalLabel"`
	Ports []string `json:"ports"`
	// Mode is a Linux bonding mode by name; empty: balance-rr.
	Mode     string     `json:"mode" enum:"mode"`
	LACPRate string     `json:"lacpRate" enum:"rate"` // slow 30 s (default), fast 1 s
	MII      MIIMonitor `json:"miiMonitor"`
	ARP      ARPMonitor `json:"arpMonitor"`
}

// MIIMonitor watches the carrier of bonded ports; times in ms.
type MIIMonitor struct {
	Enabled   bool   `json:"enabled"`
	Interval  uint32 `json:"interval"`
	UpDelay   uint32 `json:"upDelay"`
	DownDelay uint32 `json:"downDelay"`
}

// ARPMonitor asks neighbours instead of watching the carrier; interval in ms.
type ARPMonitor struct {
	Enabled   bool         `json:"enabled"`
	Interval  uint32       `json:"interval"`
	IPTargets []netip.Addr `json:"ipTargets"`
}

// Bridge is a switch.
type Bridge struct {
	Label   string   `json:"logicalLabel"`
	Ports   []string `json:"ports"`
	Bonds   []string `json:"bonds"`
	WithSTP bool     `json:"withSTP"`
}

// Network is an IP network on a bridge, with its own router.
type Network struct {
	Label  string `json:"logicalLabel"`
	Bridge string `json:"bridge"`
	VLAN   uint16 `json:"vlanID"` // 0: untagged
	MTU    uint16 `json:"mtu"`    // 0: 1500
	NetIP
	DualStack        DualNet `json:"dualStack"`
	TransparentProxy string  `json:"transparentProxy"` // label of the proxy in the path
	Router           *Router `json:"router"`           // nil: everything is reachable
}

// NetIP is one IP version of a network.
type NetIP struct {
	Subnet  netip.Prefix `json:"subnet"`
	Gateway netip.Addr   `json:"gwIP"`
	DHCP    DHCP         `json:"dhcp"`
}

// DualNet is a network with both IP versions.
type DualNet struct {
	IPv4 NetIP `json:"ipv4"`
	IPv6 NetIP `json:"ipv6"`
}

// DHCP is what a network tells its clients, by DHCP or by router advertisement.
type DHCP struct {
	Enable              bool          `json:"enable"` // false: static addresses; SLAAC stays
	Range               Range         `json:"ipRange"`
	Static              []StaticLease `json:"staticEntries"`
	WithoutDefaultRoute bool          `json:"withoutDefaultRoute"`
	Domain              string        `json:"domainName"`
	Resolvers
	PublicNTP  string `json:"publicNTP"`     // address or name
	PrivateNTP string `json:"privateNTP"`    // label of an NTP server
	WPAD       string `json:"wpad"`          // URL of a PAC file; IPv4 only
	Netboot    string `json:"netbootServer"` // label of a netboot server
}

// Range is a range of addresses, both ends included. Both zero: all hosts of the subnet (IPv4).
type Range struct {
	From netip.Addr `json:"fromIP"`
	To   netip.Addr `json:"toIP"`
}

// StaticLease keeps an address for a MAC.
type StaticLease struct {
	MAC MAC        `json:"mac"`
	IP  netip.Addr `json:"ip"`
}

// Resolvers are the DNS servers of a client; the public ones are asked first.
type Resolvers struct {
	PublicDNS  []netip.Addr `json:"publicDNS"`
	PrivateDNS []string     `json:"privateDNS"` // labels of DNS servers
}

// Router says what a network reaches.
type Router struct {
	Outside   bool     `json:"outsideReachability"` // controller, image server, Internet
	Endpoints []string `json:"reachableEndpoints"`
	Networks  []string `json:"reachableNetworks"`
	Routes    []Route  `json:"routesTowardsEVE"`
}

// Route leads to a network behind the device.
type Route struct {
	Dst     netip.Prefix `json:"dstNetwork"`
	Gateway netip.Addr   `json:"gateway"`
}

// Firewall stands between networks, endpoints and the outside. The first rule that matches
// decides; what none matches passes, and so do answers.
type Firewall struct {
	Rules []Rule `json:"rules"`
}

// Rule is a firewall rule. A zero field matches everything.
type Rule struct {
	Src      netip.Prefix `json:"srcSubnet"`
	Dst      netip.Prefix `json:"dstSubnet"`
	Protocol string       `json:"protocol" enum:"proto"`
	Ports    []uint16     `json:"ports"` // of the destination
	// Action: allow (default), reject (the sender is told), drop (it is not).
	Action string `json:"action" enum:"rule"`
}

// Host is where the controller runs.
type Host struct {
	IPs            []netip.Addr `json:"hostIPs"`
	NetworkType    string       `json:"networkType" enum:"stack"`
	ControllerPort uint16       `json:"controllerPort"`
}

// IPv4 is the network's IPv4 half; nil if it has none.
func (n *Network) IPv4() *NetIP { return n.half(false) }

// IPv6 is the network's IPv6 half; nil if it has none.
func (n *Network) IPv6() *NetIP { return n.half(true) }

func (n *Network) half(six bool) *NetIP {
	dual := &n.DualStack.IPv4
	if six {
		dual = &n.DualStack.IPv6
	}
	for _, h := range []*NetIP{&n.NetIP, dual} {
		if h.Subnet.IsValid() && h.Subnet.Addr().Is6() == six {
			return h
		}
	}
	return nil
}
