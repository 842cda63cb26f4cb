package zedagentinfo

import (
	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi/report"
	"github.com/evetwin/evetwin/core/topics/entity"
)

const rootFile = "/config/root-certificate.pem"

// moved reports whether a row that may be part of the device's report has changed in this turn.
func (a *reporter) moved() bool {
	return a.zedagent.Moved() || a.nodeagent.Moved() || a.names.Moved() || a.items.Moved() ||
		a.itemStat.Moved() || a.net.Moved() || a.dpcl.Moved() || a.adapters.Moved() ||
		a.memory.Moved() || a.caps.Moved() || a.tpm.Moved() || a.host.Moved() || a.boot.Moved() ||
		a.parts.Moved() || a.space.Moved() || a.files.Moved() || a.apps.Moved()
}

// stamp sums up the revisions of all rows that make up the device's report, and the values of those
// that change in ways that do not matter for it.
func (a *reporter) stamp() uint64 {
	var s bus.Sum
	for _, rev := range [...]uint64{
		a.zedagent.Rev("zedagent"), a.nodeagent.Rev("nodeagent"), a.names.Rev(entity.Global),
		a.items.Rev(entity.Global), a.itemStat.Rev(entity.Global), a.net.Rev(entity.Global),
		a.dpcl.Rev(entity.Global), a.adapters.Rev(entity.Global), a.caps.Rev(entity.Global),
		a.tpm.Rev(entity.Global), a.host.Rev("host"), a.boot.Rev("boot"),
	} {
		s.Word(rev)
	}
	for k := range a.parts.All() {
		s.Word(a.parts.Rev(k))
	}
	if m := a.memory.Get(entity.Global); m != nil {
		s.Word(m.TotalMemoryMB)
		s.Word(uint64(m.Ncpus))
	}
	if f := a.files.Get(store.FileKey(rootFile)); f != nil {
		s.String(f.Sha256)
	}
	if sp := a.space.Get("persist"); sp != nil {
		s.Word(uint64(sp.Total))
	}
	for _, x := range a.apps.All() {
		s.String(x.UUID)
		s.String(x.DisplayName)
		s.String(x.DomainName)
	}
	return s.Value()
}

// deviceMessage reports the device.
func (a *reporter) deviceMessage(p *pace) *info.ZInfoMsg {
	in := report.DeviceInput{
		Device: p.Device, BootTime: p.BootTime, Machine: a.machine(),
		Names: a.names.Get(entity.Global), ZedAgent: a.zedagent.Get("zedagent"),
		NodeAgent: a.nodeagent.Get("nodeagent"), Network: a.net.Get(entity.Global),
		PortConfigs: a.dpcl.Get(entity.Global), Adapters: a.adapters.Get(entity.Global),
		Tpm: a.tpm.Get(entity.Global), Items: a.items.Get(entity.Global),
		ItemStatus: a.itemStat.Get(entity.Global), Caps: a.caps.Get(entity.Global),
	}
	if f := a.files.Get(store.FileKey(rootFile)); f != nil {
		in.RootSha256 = f.Sha256
	}
	if s := a.space.Get("persist"); s != nil {
		in.StorageMB = uint64(s.Total >> 20)
	}
	for _, part := range a.parts.All() {
		in.Partitions = append(in.Partitions, report.Partition{
			Label: part.Label, State: part.State, Version: part.Version, Current: part.Current})
	}
	for _, x := range a.apps.All() {
		in.Apps = append(in.Apps, x)
	}
	return report.Device(&in)
}

// machine is what is known of the hardware.
func (a *reporter) machine() report.Machine {
	m := report.Machine{}
	if h := a.host.Get("host"); h != nil {
		m = report.Machine{
			Arch: machineArch(h.Arch), Manufacturer: h.Manufacturer, Product: h.Product,
			Version: h.Version, Serial: h.Serial, SystemUUID: h.SystemUUID, BIOSVendor: h.BIOSVendor,
			BIOSVersion: h.BIOSVersion, Ncpus: h.Ncpus, MemoryMB: h.TotalMemoryMB,
			HWAssistedVirtualization: h.HWAssistedVirtualization, IOMemory: h.IOVirtualization,
		}
	}
	if mem := a.memory.Get(entity.Global); mem != nil {
		m.Ncpus, m.MemoryMB = mem.Ncpus, mem.TotalMemoryMB
	}
	if b := a.boot.Get("boot"); b != nil {
		m.HWWatchdog = b.HWWatchdog
	}
	return m
}

// machineArch is the name by which Linux calls an architecture.
func machineArch(oci string) string {
	switch oci {
	case "", "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return oci
}
