package network

import (
	"net/netip"
	"strconv"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// ACEMatch is one condition of a rule: type ip, host, eidset, protocol, fport, lport or adapter.
type ACEMatch struct{ Type, Value string }

// ACEAction is what a rule does; none set means accept.
type ACEAction struct {
	Drop       bool
	Limit      bool
	LimitRate  int
	LimitUnit  string // s, m, h
	LimitBurst int
	PortMap    bool
	TargetPort int
}

// ACE is one access rule of an application interface.
type ACE struct {
	Matches []ACEMatch
	Actions []ACEAction
	Name    string
	RuleID  int32
	Dir     uint8
}

// AppNetAdapterConfig is one wished interface of an application.
type AppNetAdapterConfig struct {
	Name            string
	AppMacAddr      string     // empty: derived
	AppIPAddr       netip.Addr // zero: from the pool
	IntfOrder       uint32
	Network         string // UUID of the network instance
	ACLs            []ACE
	AccessVlanID    uint32
	IfIdx           uint32 // among the interfaces of the application on this network instance
	AllowToDiscover bool
	Error           string // found while parsing
}

// AppNetworkConfig is the wished connectivity of an application. Owner: zedmanager.
type AppNetworkConfig struct {
	entity.UUIDandVersion
	DisplayName       string
	Activate          bool
	AppNetAdapterList []AppNetAdapterConfig
	GetStatsIPAddr    netip.Addr
	CloudInitUserData string
	MetaDataType      uint8
}

// Key is the application's UUID.
func (c AppNetworkConfig) Key() string { return c.UUID }

// AppNetworks is zedmanager's topic; complete once every application known at boot was looked at.
var AppNetworks = bus.NewTopic[AppNetworkConfig](bus.Decl{
	Owner: "zedmanager", Name: "AppNetworkConfig"})

// VifInfo is how an application interface is attached.
type VifInfo struct {
	Bridge  string
	Vif     string // "nbu<n>x<app>"
	Mac     string
	VifUsed string // name in use by the hypervisor, when it differs
}

// AppNetAdapterStatus is what became of an interface.
type AppNetAdapterStatus struct {
	AppNetAdapterConfig
	VifInfo
	BridgeMac         string
	BridgeIPAddr      netip.Addr
	AllocatedIPv4Addr netip.Addr   // what DHCP will give
	AssignedAddresses []netip.Addr // what the guest was seen to have
	IPv4Up            bool
	IPAddrMisMatch    bool
	HostName          string
	MTU               uint16
}

// AppNetworkStatus is what became of the connectivity of an application. Owner: zedrouter.
type AppNetworkStatus struct {
	entity.UUIDandVersion
	DisplayName          string
	Of                   uint64 // revision of the config it answers
	AppNum               int
	Activated            bool
	PendingAdd           bool
	PendingModify        bool
	PendingDelete        bool
	ConfigInSync         bool
	AwaitNetworkInstance bool
	AppNetAdapterList    []AppNetAdapterStatus
	entity.ErrorAndTime
}

// Key is the application's UUID.
func (s AppNetworkStatus) Key() string { return s.UUID }

// AppNetworkStatuses is zedrouter's topic.
var AppNetworkStatuses = bus.NewTopic[AppNetworkStatus](bus.Decl{
	Owner: "zedrouter", Name: "AppNetworkStatus", MaxBytes: 128 << 10})

// UuidToNum is a number kept for an object over reboots. Owner: zedrouter. Persistent.
type UuidToNum struct {
	UUID    string
	NumType string // "appNum", "bridgeNum"
	Number  int
	InUse   bool // false: reserved since boot, free to be taken back by its owner
}

// Key is type and UUID.
func (u UuidToNum) Key() string { return u.NumType + "." + u.UUID }

// Numbers is zedrouter's topic.
var Numbers = bus.NewTopic[UuidToNum](bus.Decl{
	Owner: "zedrouter", Name: "UuidToNum", Life: bus.Persistent})

// AppInterfaceToNum is the number of an application interface on a network instance, from which
// its address is derived. Owner: zedrouter. Persistent.
type AppInterfaceToNum struct {
	NetInstID string
	AppID     string
	IfIdx     uint32
	Number    int
}

// Key names application, network instance and interface.
func (a AppInterfaceToNum) Key() string {
	return a.AppID + "." + a.NetInstID + "." + strconv.Itoa(int(a.IfIdx))
}

// AppInterfaceNumbers is zedrouter's topic.
var AppInterfaceNumbers = bus.NewTopic[AppInterfaceToNum](bus.Decl{
	Owner: "zedrouter", Name: "AppInterfaceToNum", Life: bus.Persistent, MaxRows: 20_000})
