package domainmgr

import (
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/domain"
)

// tellMachine publishes the machine's memory and what its hypervisor can do.
func (m *domainmgr) tellMachine() {
	h := m.machine.Get(hyper.HostSeen{}.Key())
	if h == nil {
		return
	}
	used := uint64(0)
	for _, d := range m.domains.All() {
		if runs(d) || d.State == hyper.Halting {
			used += uint64(d.MemoryKiB) >> 10
		}
	}
	m.memory.Put(domain.HostMemory{TotalMemoryMB: h.TotalMemoryMB, Ncpus: h.Ncpus,
		FreeMemoryMB: h.TotalMemoryMB - min(used, h.TotalMemoryMB)})
	m.caps.Put(domain.Capabilities{HWAssistedVirtualization: h.HWAssistedVirtualization,
		IOVirtualization: h.IOVirtualization, CPUPinning: h.CPUPinning,
		UseVHost: h.HWAssistedVirtualization && h.Hypervisor == "qemu-kvm"})
	m.memory.Complete()
	m.caps.Complete()
}

// passesThrough reports whether PCI adapters can be given to guests.
func (m *domainmgr) passesThrough() bool {
	h := m.machine.Get(hyper.HostSeen{}.Key())
	return h != nil && h.IOVirtualization
}
