package hyper

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	device "github.com/evetwin/evetwin/core/device/hyper"
)

// readHost describes the machine: what the kernel knows of it and what its firmware says.
func (b *boot) readHost() device.HostSeen {
	firmware := func(name string) string {
		text, err := os.ReadFile(filepath.Join(b.o.Sys, "class/dmi/id", name))
		if err != nil {
			return "" // a machine without it
		}
		return strings.TrimSpace(string(text))
	}
	h := device.HostSeen{Hypervisor: "qemu-tcg", Arch: runtime.GOARCH, TotalMemoryMB: b.o.MemoryMB,
		Ncpus: uint32(runtime.NumCPU()), IOVirtualization: b.hasIOMMU(), Detail: b.o.Why,
		Manufacturer: firmware("sys_vendor"), Product: firmware("product_name"),
		Version: firmware("product_version"), Serial: firmware("product_serial"),
		SystemUUID: firmware("product_uuid"), BIOSVendor: firmware("bios_vendor"),
		BIOSVersion: firmware("bios_version")}
	switch b.o.Type {
	case domxml.KVM:
		h.Hypervisor, h.HWAssistedVirtualization = "qemu-kvm", true
	case domxml.Xen:
		h.Hypervisor, h.HWAssistedVirtualization = "xen", true
	}
	if h.TotalMemoryMB == 0 {
		memory, err := readMemory()
		if err != nil {
			b.o.OnError(err)
		}
		h.TotalMemoryMB = memory["MemTotal"] >> 10
	}
	return h
}

// hasIOMMU reports whether adapters can be passed through: with Xen that is Xen's affair.
func (b *boot) hasIOMMU() bool {
	groups, err := os.ReadDir(filepath.Join(b.o.Sys, "kernel/iommu_groups"))
	return err == nil && len(groups) > 0 || b.o.Type == domxml.Xen
}
