// Package hyper runs guests. Its only caller is domainmgr.
//
// A domain goes absent → created (Defined, not running) → running → halted → absent. Its spec comes
// back in DomainSeen, so that a restarted agent adopts what runs. The part never restarts a guest.
package hyper

import (
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// State of a domain that exists.
type State string

// States of domains.
const (
	Defined State = "defined" // made, not started
	Running State = "running"
	Paused  State = "paused"
	Halting State = "halting" // asked to stop and still there, or off and not reaped
	Halted  State = "halted"  // off: by itself or as asked
	Broken  State = "broken"  // died: the virtual machine monitor is gone or the guest crashed
)

// Disk of a guest.
type Disk struct {
	VolumeKey string
	Path      string // file location as store.VolumeSeen has it
	Format    string // "raw", "qcow2", "container", "iso", ...
	ReadOnly  bool
	MountDir  string
}

// Vif is an interface of a guest.
type Vif struct {
	Name   string // host side
	Bridge string // item "bridge/<name>" of part bridge; needed by each start of the guest
	MAC    string
	IP     netip.Addr // what DHCP will give it; zero if unknown
	MTU    uint16
}

// Assigned is an adapter passed through to a guest.
type Assigned struct {
	Phylabel string
	PciLong  string
	Serial   string
	UsbAddr  string
}

// Spec is a guest.
type Spec struct {
	Name      string // "<uuid>.<version>.<appNum>"
	AppID     string // UUID of the application
	MemoryKiB int
	VCPUs     int
	Mode      uint8 // app.VmMode
	Disks     []Disk
	Vifs      []Vif
	Adapters  []Assigned
	UserData  string // base64, empty for none
	Instance  string // cloud-init instance id
	Boots     int    // raised for every start that is wished: a new value is a new run
}

// DomainSeen is a domain that exists.
type DomainSeen struct {
	Spec
	ID       int // above 0
	State    State
	BootedAt time.Time // wall clock of the last start, zero before it
	Reason   string    // why it is halted or broken, for people
	Guest    bool      // halted: the guest turned itself off
}

// Key is the domain's name.
func (d DomainSeen) Key() string { return d.Name }

// Domains is the topic of domains.
var Domains = bus.NewTopic[DomainSeen](bus.Decl{
	Owner: "hyper", Name: "DomainSeen", MaxBytes: 256 << 10})

// HostSeen is the machine and what its hypervisor can do.
type HostSeen struct {
	Hypervisor               string // "qemu-tcg", "qemu-kvm", "model", ...
	Arch                     string // of guests, as OCI names it: "amd64", "arm64"; empty: amd64
	TotalMemoryMB            uint64
	Ncpus                    uint32
	HWAssistedVirtualization bool
	IOVirtualization         bool
	CPUPinning               bool
	Detail                   string // why virtualization is not assisted, for people
	// What the firmware says of the machine; empty where it says nothing.
	Manufacturer string
	Product      string
	Version      string
	Serial       string // product serial
	SystemUUID   string
	BIOSVendor   string
	BIOSVersion  string
}

// Key is "host".
func (HostSeen) Key() string { return "host" }

// Host is the topic of the machine.
var Host = bus.NewTopic[HostSeen](bus.Decl{Owner: "hyper", Name: "HostSeen"})

// CreateReq makes a domain without starting it.
type CreateReq struct{ Spec Spec }

// NameReq names a domain.
type NameReq struct{ Name string }

// StopReq stops a domain: gracefully by the power button, or at once.
type StopReq struct {
	Name string
	// ID is that of the domain that is meant, 0 for whichever has the name: a stop that comes late
	// must not end the guest that was made since.
	ID    int
	Force bool
}

// None is an empty result.
type None struct{}

// Ops on domains. Create with another spec than the one that exists: FaultExists; with a disk that
// is not there: FaultMissing. Start of a running domain, Stop of one that is off and Delete of one
// that is absent do nothing. Delete ends whatever runs.
//
// Start needs the bridge of every interface: without it FaultMissing, and the domain stays as it
// was. All else may come later: an interface whose item of part bridge is not set, or not up, is a
// cable that hangs loose until it is, and a guest does not end because its network does.
//
// A graceful Stop presses the power button, a later one presses it again, and is done when the
// guest is off; one that does not react keeps it running. Cancelled, it leaves the guest as it is:
// the domain stays Halting, for the guest was asked and may still power off, which then counts as
// asked. Only Stop by force and Delete end a guest against its will.
var (
	Create = agent.NewOp[CreateReq, None](agent.OpDecl{
		Name: "hyper.Create", Class: "hyper.create", Limit: 5 * time.Minute})
	Start = agent.NewOp[NameReq, None](agent.OpDecl{
		Name: "hyper.Start", Class: "hyper.create", Limit: 5 * time.Minute})
	Stop = agent.NewOp[StopReq, None](agent.OpDecl{
		Name: "hyper.Stop", Width: 8, Limit: 15 * time.Minute})
	Delete = agent.NewOp[NameReq, None](agent.OpDecl{
		Name: "hyper.Delete", Width: 8, Limit: 2 * time.Minute})
)

// Fault codes.
const (
	FaultExists   = "exists"    // a domain of that name with another spec exists
	FaultMissing  = "missing"   // no such domain, or a disk or bridge of it is not there; Retry
	FaultNoMemory = "no-memory" // the machine has not enough; Retry
	FaultNoIOMMU  = "no-iommu"  // adapters cannot be passed through here
	FaultFailed   = "failed"    // the hypervisor refused or the guest did not come up; Retry
)

// AdapterSeen is an adapter that can be bound away from the host.
type AdapterSeen struct {
	PciLong string
	Bound   bool // away from the host, for guests
}

// Key is the PCI address.
func (a AdapterSeen) Key() string { return a.PciLong }

// Adapters is the topic of PCI adapters.
var Adapters = bus.NewTopic[AdapterSeen](bus.Decl{Owner: "hyper", Name: "AdapterSeen"})

// BindReq binds an adapter away from the host, or gives it back.
type BindReq struct {
	PciLong string
	Bound   bool
}

// Bind moves an adapter between host and guests.
var Bind = agent.NewOp[BindReq, None](agent.OpDecl{
	Name: "hyper.Bind", Class: "hyper.bind", Limit: 30 * time.Second})

// UsageReq asks for what every domain uses.
type UsageReq struct{}

// Usage of one domain; the counters never go back while it exists.
type Usage struct {
	Name        string
	AppID       string
	CPUTotalNs  uint64
	AllocatedMB uint64
	UsedMB      uint64
	MaxUsedMB   uint64
}

// UsageRes lists usage by name; the host's own is the entry without a name.
type UsageRes struct {
	Domains []Usage
	Host    Usage
}

// Usages samples what domains and host use.
var Usages = agent.NewOp[UsageReq, UsageRes](agent.OpDecl{
	Name: "hyper.Usage", Class: "hyper.query", Limit: 10 * time.Second, Query: true})
