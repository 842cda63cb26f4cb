// Package network has the topics of device connectivity (nim) and of application connectivity
// (zedrouter).
package network

import (
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// Origin says where a port configuration came from, with EVE's numbers.
type Origin uint8

// Origins.
const (
	OriginUnspecified Origin = iota
	OriginController
	OriginBootstrap
	OriginOverride
	OriginLastResort
	OriginTUI
	OriginLOC
	OriginLPS
)

// DhcpType is how a port gets its address, with EVE's numbers.
type DhcpType uint8

// Ways to an address.
const (
	DhcpNoop DhcpType = iota
	DhcpStatic
	DhcpNone // layer 2 only
	_
	DhcpClient
)

// NetworkType is which versions of IP a port uses, with EVE's internal numbers.
type NetworkType uint8

// Kinds of networks.
const (
	NetworkNoop   NetworkType = 0
	NetworkV4     NetworkType = 4 // both, IPv4 preferred
	NetworkV4Only NetworkType = 5
	NetworkV6     NetworkType = 6 // both, IPv6 preferred
	NetworkV6Only NetworkType = 7
	NetworkDual   NetworkType = 8
)

// DhcpConfig is the wished layer 3 configuration of a port.
type DhcpConfig struct {
	Dhcp       DhcpType
	AddrSubnet string     // "10.0.0.5/24" for static, else empty
	Gateway    netip.Addr // unspecified ("0.0.0.0") means: no default route; zero means from DHCP
	DomainName string
	NTPServers []string
	DNSServers []netip.Addr
	Type       NetworkType
}

// ProxyType of an explicit proxy, with EVE's numbers.
type ProxyType uint8

// Kinds of proxies; SOCKS and FTP are read and never used.
const (
	ProxyHTTP ProxyType = iota
	ProxyHTTPS
	ProxySOCKS
	ProxyFTP
	ProxyNone
)

// ProxyEntry is one explicit proxy.
type ProxyEntry struct {
	Type   ProxyType
	Server string // host, address or URL
	Port   uint32
}

// ProxyConfig is how a port reaches the web.
type ProxyConfig struct {
	Proxies            []ProxyEntry
	Exceptions         string // comma list in NO_PROXY syntax
	Pacfile            string // base64
	NetworkProxyEnable bool
	NetworkProxyURL    string
	WpadURL            string
	ProxyCertPEM       []string // CAs to trust for proxy and origin
}

// L2Type says what a port is below layer 3.
type L2Type uint8

// Kinds of links below layer 3.
const (
	L2None L2Type = iota
	L2VLAN
	L2Bond
)

// VLANConfig of a sub-interface.
type VLANConfig struct {
	ParentPort string // logical label
	ID         uint16 // 1..4094
}

// BondConfig of an aggregate.
type BondConfig struct {
	AggregatedPorts []string // logical labels
	Mode            uint8
	LacpRate        uint8
}

// L2LinkConfig is the wished configuration below layer 3.
type L2LinkConfig struct {
	L2Type L2Type
	VLAN   VLANConfig
	Bond   BondConfig
}

// WirelessType of a port.
type WirelessType uint8

// Kinds of wireless links.
const (
	WirelessNone WirelessType = iota
	WirelessCellular
	WirelessWifi
)

// TestResults of a port or of a whole configuration; times are wall times.
type TestResults struct {
	LastFailed    time.Time
	LastSucceeded time.Time
	LastError     string
	LastWarning   string
}

// Working reports whether the last result was a success.
func (r *TestResults) Working() bool {
	return !r.LastSucceeded.IsZero() && r.LastSucceeded.After(r.LastFailed)
}

// Untested reports whether there was no test yet.
func (r *TestResults) Untested() bool { return r.LastFailed.IsZero() && r.LastSucceeded.IsZero() }

// NetworkPortConfig is one port of a DevicePortConfig.
type NetworkPortConfig struct {
	IfName        string
	USBAddr       string
	PCIAddr       string
	Phylabel      string
	Logicallabel  string
	SharedLabels  []string // sorted; the built-in ones included
	Alias         string
	NetworkUUID   string
	IsMgmt        bool
	IsL3Port      bool
	InvalidConfig bool // the error is in TestResults.LastError
	Cost          uint8
	MTU           uint16 // 0 means 1500
	DhcpConfig

	IgnoreDhcpNtpServers  bool
	IgnoreDhcpIPAddresses bool
	IgnoreDhcpGateways    bool
	IgnoreDhcpDNSConfig   bool

	ProxyConfig
	L2LinkConfig
	WirelessCfg WirelessType // configured wireless, refused with an error on the port
	PNACEnabled bool         // 802.1X, refused with an error on the port

	AllowLocalModifications bool
	ConfigSource            Origin
	TestResults
}

// DevicePortConfig is a full set of ports from one source.
type DevicePortConfig struct {
	Version      uint8     // 1: IsMgmt is meaningful
	DPCKey       string    `json:"Key"` // "zedagent", "bootstrap", "override", "lastresort", ...
	TimePriority time.Time // the newer wins
	State        DPCState
	ShaFile      string
	ShaValue     string
	LastIPAndDNS time.Time
	TestResults
	Ports []NetworkPortConfig
}

// Key of the row is the key of the configuration.
func (d DevicePortConfig) Key() string { return d.DPCKey }

// DPCs is the topic of wished port configurations, one table per source.
var DPCs = bus.NewFamily[DevicePortConfig](bus.Decl{
	Name: "DevicePortConfig", MaxBytes: 256 << 10}, "zedagent")

// ManualDPC is monitor's topic of what the operator configured by hand: one row, key "manual",
// which outlives a reboot.
var ManualDPC = bus.NewTopic[DevicePortConfig](bus.Decl{Owner: "monitor",
	Name: "DevicePortConfig", Life: bus.Persistent, MaxBytes: 256 << 10})

// DevicePortConfigList is nim's prioritized list. Owner: nim. Persistent. Key "global". Results are
// those of the last verdicts, with the time at which they became what they are.
type DevicePortConfigList struct {
	// CurrentIndex is the one that the last verification ended with, -1 before the first since boot;
	// while one runs, DeviceNetworkStatus tells which is in use.
	CurrentIndex   int
	PortConfigList []DevicePortConfig
}

// Key is "global".
func (DevicePortConfigList) Key() string { return entity.Global }

// DPCL is nim's topic.
var DPCL = bus.NewTopic[DevicePortConfigList](bus.Decl{
	Owner: "nim", Name: "DevicePortConfigList", Life: bus.Persistent, MaxBytes: 2 << 20})
