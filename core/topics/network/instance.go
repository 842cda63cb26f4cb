package network

import (
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// NIType is the kind of a network instance, with EVE's numbers.
type NIType uint8

// Kinds of network instances; only switch and local are carried out.
const (
	NISwitch      NIType = 1
	NILocal       NIType = 2
	NICloud       NIType = 3
	NIMesh        NIType = 4
	NIHoneypot    NIType = 5
	NITransparent NIType = 6
)

// String is the kind in words.
func (t NIType) String() string {
	names := [...]string{"", "switch", "local", "cloud", "mesh", "honeypot", "transparent"}
	if int(t) >= len(names) || t == 0 {
		return "unknown"
	}
	return names[t]
}

// IPRange is first and last address, both included.
type IPRange struct{ Start, End netip.Addr }

// DNSNameToIP is a static DNS entry.
type DNSNameToIP struct {
	HostName string
	IPs      []netip.Addr
}

// IPRouteConfig is a static route of a network instance.
type IPRouteConfig struct {
	DstNetwork               netip.Prefix
	Gateway                  netip.Addr
	OutputPortLabel          string
	PreferLowerCost          bool
	PreferStrongerWwanSignal bool
}

// NetworkInstanceConfig is a wished network instance. Owner: zedagent.
type NetworkInstanceConfig struct {
	entity.UUIDandVersion
	DisplayName             string
	Type                    NIType
	Activate                bool
	IpType                  uint8 // 0 none, 1 IPv4, 2 IPv6
	Subnet                  netip.Prefix
	Gateway                 netip.Addr
	DomainName              string
	NtpServers              []string
	DnsServers              []netip.Addr
	DhcpRange               IPRange
	DnsNameToIPList         []DNSNameToIP
	PortLabel               string // logical or shared label; empty: no port (air-gapped)
	PropagateConnRoutes     bool
	StaticRoutes            []IPRouteConfig
	MTU                     uint16 // 0: lowest of its ports
	EnableFlowlog           bool
	ForwardLLDP             bool
	entity.ErrorDescription // found while parsing
}

// Key is the UUID.
func (c NetworkInstanceConfig) Key() string { return c.UUID }

// Instances is zedagent's topic; complete once the first configuration was parsed.
var Instances = bus.NewTopic[NetworkInstanceConfig](bus.Decl{
	Owner: "zedagent", Name: "NetworkInstanceConfig"})

// VifNameMac is an application interface on a network instance.
type VifNameMac struct {
	Name    string // host side, "nbu1x1"
	MacAddr string
	AppID   string
}

// AssignedAddr is an address given to an application interface.
type AssignedAddr struct {
	MacAddr string
	IP      netip.Addr
}

// IPRouteStatus is a route in force in a network instance.
type IPRouteStatus struct {
	DstNetwork netip.Prefix
	Gateway    netip.Addr
	OutputPort string // logical label
	GatewayApp string
}

// NetworkInstanceStatus is what became of a network instance. Owner: zedrouter.
type NetworkInstanceStatus struct {
	NetworkInstanceConfig
	Of               uint64 // revision of the config it answers
	ChangeInProgress bool
	Activated        bool
	BridgeNum        int
	BridgeName       string
	BridgeIPAddr     netip.Addr
	BridgeMac        string
	Ports            []string // logical labels of the ports in use
	SelectedUplink   string   // logical label
	Vifs             []VifNameMac
	IPAssignments    []AssignedAddr
	CurrentRoutes    []IPRouteStatus
	EffectiveMTU     uint16
	ActivatedAt      time.Time // wall
	// The error in force, joined of all slots; hides the parse error of the embedded config.
	NetworkErr entity.ErrorDescription
}

// InstanceStatus is zedrouter's topic. A row moves with every application on the instance, in
// bursts.
var InstanceStatus = bus.NewTopic[NetworkInstanceStatus](bus.Decl{
	Owner: "zedrouter", Name: "NetworkInstanceStatus", MaxBytes: 128 << 10, MaxPuts: 3000})
