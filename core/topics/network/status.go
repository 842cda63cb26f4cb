package network

import (
	"net/netip"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// DPCState is how far the verification of a port configuration is, with EVE's numbers.
type DPCState uint8

// States of verification.
const (
	DPCNone DPCState = iota
	DPCFail
	DPCFailWithIPAndDNS
	DPCSuccess
	DPCIPDNSWait
	DPCPCIWait
	DPCIntfWait
	DPCRemoteWait
	DPCAsyncWait
	DPCWwanWait
)

// String is EVE's name of the state.
func (s DPCState) String() string {
	names := [...]string{"", "DPC_FAIL", "DPC_FAIL_WITH_IPANDDNS", "DPC_SUCCESS", "DPC_IPDNS_WAIT",
		"DPC_PCI_WAIT", "DPC_INTF_WAIT", "DPC_REMOTE_WAIT", "DPC_ASYNC_WAIT", "DPC_WWAN_WAIT"}
	if int(s) >= len(names) {
		return "Unknown DPC state"
	}
	return names[s]
}

// InProgress reports whether verification waits for something in this state.
func (s DPCState) InProgress() bool {
	switch s {
	case DPCIPDNSWait, DPCPCIWait, DPCIntfWait, DPCAsyncWait, DPCWwanWait:
		return true
	}
	return false
}

// Sends reports whether agents may talk to the controller in this state (DEV-16).
func (s DPCState) Sends() bool {
	return s == DPCSuccess || s == DPCFailWithIPAndDNS || s == DPCRemoteWait
}

// NetworkPortStatus is the runtime view of a port.
type NetworkPortStatus struct {
	IfName         string
	Phylabel       string
	Logicallabel   string
	SharedLabels   []string
	Alias          string
	IsMgmt         bool
	IsL3Port       bool
	InvalidConfig  bool
	Cost           uint8
	Dhcp           DhcpType
	Type           NetworkType
	NetworkUUID    string
	Up             bool // carrier
	MacAddr        string
	AddrInfoList   []netip.Prefix // every address with the length of its subnet, sorted
	DefaultRouters []netip.Addr
	DNSServers     []netip.Addr // in order of use
	NtpServers     []string
	DomainName     string
	MTU            uint16
	ConfigSource   Origin
	ProxyConfig
	L2LinkConfig
	TestResults
	entity.ErrorAndTime
}

// Addrs yields the port's addresses that may be a source: unicast and not link-local.
func (p *NetworkPortStatus) Addrs() []netip.Addr {
	var out []netip.Addr
	for _, a := range p.AddrInfoList {
		if ip := a.Addr(); ip.IsGlobalUnicast() && !ip.IsLinkLocalUnicast() {
			out = append(out, ip)
		}
	}
	return out
}

// DeviceNetworkStatus is the runtime view of the port configuration in use. Owner: nim.
type DeviceNetworkStatus struct {
	DPCKey       string
	Version      uint8
	Testing      bool
	State        DPCState
	CurrentIndex int
	RadioSilence bool
	Ports        []NetworkPortStatus
	// Since boot in ns: when the state last became what it is.
	StateSince int64
}

// Key is "global".
func (DeviceNetworkStatus) Key() string { return entity.Global }

// DNS is nim's topic. (DNS is EVE's word for DeviceNetworkStatus.)
var DNS = bus.NewTopic[DeviceNetworkStatus](bus.Decl{
	Owner: "nim", Name: "DeviceNetworkStatus", MaxBytes: 256 << 10, MaxPuts: flapping})

// flapping is how often what follows links may be put in a minute: several cables that lose their
// carrier every second.
const flapping = 1000

// Port finds a port by logical label, nil if there is none.
func (d *DeviceNetworkStatus) Port(label string) *NetworkPortStatus {
	for i := range d.Ports {
		if d.Ports[i].Logicallabel == label {
			return &d.Ports[i]
		}
	}
	return nil
}

// Usable reports whether a management port has a usable address.
func (d *DeviceNetworkStatus) Usable() bool {
	for i := range d.Ports {
		if p := &d.Ports[i]; p.IsMgmt && len(p.Addrs()) > 0 {
			return true
		}
	}
	return false
}
