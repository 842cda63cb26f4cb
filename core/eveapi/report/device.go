package report

import (
	"time"

	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

// Machine is what hardware and firmware say of the device.
type Machine struct {
	Arch                               string // as Linux has it: "x86_64"
	Manufacturer, Product, Version     string
	Serial, SystemUUID                 string
	BIOSVendor, BIOSVersion            string
	HWWatchdog                         bool
	Ncpus                              uint32
	MemoryMB                           uint64
	HWAssistedVirtualization, IOMemory bool // IOMemory: adapters can be passed through
}

// Partition is one of the two partitions of the operating system.
type Partition struct {
	Label, State, Version string
	Current               bool
}

// DeviceInput is what a device's own report is made of; nil rows are not known yet.
type DeviceInput struct {
	Device      string // UUID
	Machine     Machine
	StorageMB   uint64 // of /persist
	BootTime    time.Time
	RootSha256  string // lower-case hex, of the root certificate's file
	Partitions  []Partition
	Names       *node.EdgeNodeInfo
	ZedAgent    *node.ZedAgentStatus
	NodeAgent   *node.NodeAgentStatus
	Network     *network.DeviceNetworkStatus
	PortConfigs *network.DevicePortConfigList
	Adapters    *network.AssignableAdapters
	Tpm         *security.TpmStatus
	Items       *config.ConfigItemValueMap
	ItemStatus  *config.ItemStatus
	Caps        *domain.Capabilities
	Apps        []*app.AppInstanceStatus
}

// apiCapability is the newest ability of the API up to which this device has all: start delays.
const apiCapability = info.APICapability_API_CAPABILITY_START_DELAY_IN_SECONDS

// Device reports the device itself.
func Device(in *DeviceInput) *info.ZInfoMsg {
	m := &in.Machine
	d := &info.ZInfoDevice{
		MachineArch: m.Arch, CpuArch: m.Arch, Platform: m.Arch, Ncpu: m.Ncpus, Memory: m.MemoryMB,
		Storage: in.StorageMB, PowerCycleCounter: -1, BootTime: stamp(in.BootTime),
		HostName: in.Device, ApiCapability: apiCapability, HardwareWatchdogPresent: m.HWWatchdog,
		Minfo: &info.ZInfoManufacturer{Manufacturer: m.Manufacturer, ProductName: m.Product,
			Version: m.Version, SerialNumber: m.Serial, UUID: m.SystemUUID, BiosVendor: m.BIOSVendor,
			BiosVersion: m.BIOSVersion},
		SecInfo:       &info.SecurityInfo{ShaRootCa: unhex(in.RootSha256)},
		SwList:        software(in.Partitions, in.NodeAgent),
		SystemAdapter: systemAdapter(in.PortConfigs, in.Network),
		Capabilities: &info.Capabilities{
			HWAssistedVirtualization: m.HWAssistedVirtualization, IOVirtualization: m.IOMemory},
		ConfigItemStatus: items(in.Items, in.ItemStatus, in.ZedAgent),
	}
	if c := in.Caps; c != nil {
		d.Capabilities.HWAssistedVirtualization = c.HWAssistedVirtualization
		d.Capabilities.IOVirtualization = c.IOVirtualization
	}
	if in.StorageMB > 0 {
		d.StorageList = []*info.ZInfoStorage{{
			MountPath: "/persist", Total: in.StorageMB, StorageLocation: true}}
	}
	if n := in.Names; n != nil {
		d.DeviceName, d.ProjectName, d.ProjectId = n.DeviceName, n.ProjectName, n.ProjectID
		d.EnterpriseName, d.EnterpriseId = n.EnterpriseName, n.EnterpriseID
	}
	if in.Adapters != nil {
		d.AssignableAdapters = bundles(in.Adapters.IoBundleList, "")
	}
	if n := in.Network; n != nil {
		d.Dns = resolvers(n)
	}
	for _, a := range in.Apps {
		d.AppInstances = append(d.AppInstances, &info.ZInfoAppInstance{
			Uuid: a.UUID, Name: a.DisplayName, DomainName: a.DomainName})
	}
	lifeOf(d, in)
	module(d, in.Tpm)
	return &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiDevice,
		InfoContent: &info.ZInfoMsg_Dinfo{Dinfo: d}}
}

// lifeOf fills in reboots, commands, maintenance and state.
func lifeOf(d *info.ZInfoDevice, in *DeviceInput) {
	if n := in.NodeAgent; n != nil {
		d.LastRebootReason, d.LastRebootStack = n.RebootReason, n.RebootStack
		d.LastRebootTime, d.RestartCounter = stamp(n.RebootTime), n.RestartCounter
		d.LastBootReason = info.BootReason(n.BootReason)
		d.RebootInprogress = n.DeviceReboot
	}
	z := in.ZedAgent
	if z == nil {
		return
	}
	d.RebootConfigCounter, d.ShutdownConfigCounter = z.RebootConfigCounter, z.ShutdownConfigCounter
	d.State = info.ZDeviceState(z.DeviceState)
	d.MaintenanceMode = z.MaintenanceMode
	for _, r := range z.MaintenanceModeReasons {
		d.MaintenanceModeReasons = append(d.MaintenanceModeReasons, info.MaintenanceModeReason(r))
	}
	if len(d.MaintenanceModeReasons) > 0 {
		d.MaintenanceModeReason = d.MaintenanceModeReasons[0]
	}
}

// module reports the TPM.
func module(d *info.ZInfoDevice, t *security.TpmStatus) {
	switch {
	case t == nil:
	case t.Kind == "none" || t.Kind == "":
		d.HSMStatus = info.HwSecurityModuleStatus_NOTFOUND
	case t.InTPM:
		d.HSMStatus, d.HSMInfo = info.HwSecurityModuleStatus_ENABLED, t.Vendor
	default:
		d.HSMStatus, d.HSMInfo = info.HwSecurityModuleStatus_DISABLED, t.Vendor
	}
}

// software reports the partitions, the running one first.
func software(parts []Partition, n *node.NodeAgentStatus) []*info.ZInfoDevSW {
	var first, rest []*info.ZInfoDevSW
	for _, p := range parts {
		s := &info.ZInfoDevSW{
			Activated: p.Current, PartitionLabel: p.Label, PartitionState: p.State,
			ShortVersion: p.Version, Status: info.ZSwState_INSTALLED,
		}
		switch {
		case p.State == "active" && p.Current:
			s.UserStatus = info.BaseOsStatus_UPDATED
		case p.State == "active":
			s.UserStatus = info.BaseOsStatus_FALLBACK
		case p.State == "updating":
			s.UserStatus = info.BaseOsStatus_UPDATING
			s.SubStatus = info.BaseOsSubStatus_UPDATE_REBOOTING
		case p.State == "inprogress" && p.Current:
			s.UserStatus = info.BaseOsStatus_UPDATING
			s.SubStatus = info.BaseOsSubStatus_UPDATE_TESTING
			if n != nil {
				s.SubStatusProgress = uint32(n.RemainingTestTime / time.Second)
			}
		case p.State == "inprogress":
			s.UserStatus = info.BaseOsStatus_FAILED
		case p.Version == "":
			s.Status = info.ZSwState_INITIAL
		}
		if p.Current {
			first = append(first, s)
		} else {
			rest = append(rest, s)
		}
	}
	return append(first, rest...)
}

// wholeConfig stands among the settings for what is wrong with the configuration as a whole, or
// with getting it.
//
// EVE: has no place for this in its API; its controller sees the counters of failed requests.
const wholeConfig = "config"

// items reports the settings that differ from their defaults, those that were not taken, and what
// is wrong with the configuration itself.
func items(m *config.ConfigItemValueMap, s *config.ItemStatus, z *node.ZedAgentStatus,
) *info.ZInfoConfigItemStatus {
	wrong := z != nil && z.HasError()
	if m == nil && s == nil && !wrong {
		return nil
	}
	out := &info.ZInfoConfigItemStatus{ConfigItems: map[string]*info.ZInfoConfigItem{}}
	if m != nil {
		for _, v := range m.Values {
			out.ConfigItems[v.Key] = &info.ZInfoConfigItem{Value: v.Value}
		}
	}
	if s != nil {
		for _, e := range s.Errors {
			out.ConfigItems[e.Key] = &info.ZInfoConfigItem{Value: e.Value, Error: e.Error}
		}
	}
	if wrong {
		out.ConfigItems[wholeConfig] = &info.ZInfoConfigItem{Value: z.ConfigVersion, Error: z.Error}
	}
	return out
}

// resolvers are the DNS servers in use, in the order of ports, once each.
func resolvers(n *network.DeviceNetworkStatus) *info.ZInfoDNS {
	out := &info.ZInfoDNS{}
	seen := map[string]bool{}
	for i := range n.Ports {
		p := &n.Ports[i]
		if !p.IsMgmt {
			continue
		}
		for _, a := range p.DNSServers {
			if s := a.String(); !seen[s] {
				seen[s] = true
				out.DNSservers = append(out.DNSservers, s)
			}
		}
		if out.DNSdomain == "" {
			out.DNSdomain = p.DomainName
		}
	}
	return out
}
