package domxml

import (
	"fmt"
	"strings"

	xml "libvirt.org/go/libvirtxml"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// Types of domains, as libvirt calls them.
const (
	// QEMU is QEMU's own translation of guest code, TCG.
	QEMU = "qemu"
	// KVM runs guest code on the processor.
	KVM = "kvm"
	// Xen is a PVH guest of Xen; one without direct kernel boots its firmware.
	Xen = "xen"
)

// Domain is a guest.
type Domain struct {
	// Type is QEMU, KVM or Xen.
	Type string
	// Spec is the guest. Its sockets are paths, a NIC is a tap; Accel, Monitors and RunAtOnce are
	// libvirt's affair.
	Spec qemu.Spec
	// Note is what Note gives back.
	Note []byte
}

// Marshal describes the domain. Equal domains have equal descriptions.
func (d Domain) Marshal() (string, error) {
	if d.Type != QEMU && d.Type != KVM && d.Type != Xen {
		return "", fmt.Errorf("describe domain %s: unknown type %q", d.Spec.Name, d.Type)
	}
	s := d.Spec
	s.Accel = ""
	if d.Type == KVM {
		s.Accel = qemu.KVM
	}
	if err := s.Check(); err != nil {
		return "", fmt.Errorf("describe domain: %w", err)
	}
	x := xml.Domain{Type: d.Type, Name: s.Name, UUID: s.UUID,
		Memory: &xml.DomainMemory{Value: uint(s.MemoryMiB) << 10, Unit: "KiB"},
		VCPU:   &xml.DomainVCPU{Value: uint(max(s.VCPUs, 1))},
		OS:     d.boot(), Features: d.features(), CPU: d.processor(&s), Clock: d.clock(),
		OnPoweroff: "destroy", OnReboot: "restart", OnCrash: "destroy"}
	if s.NoReboot {
		x.OnReboot = "destroy"
	}
	if len(d.Note) > 0 {
		x.Metadata = &xml.DomainMetadata{XML: wrap(d.Note)}
	}
	if s.Serial != "" && d.Type != Xen {
		x.SysInfo = []xml.DomainSysInfo{{SMBIOS: &xml.DomainSysInfoSMBIOS{
			System: &xml.DomainSysInfoSystem{Entry: []xml.DomainSysInfoEntry{
				{Name: "serial", Value: s.Serial}}}}}}
	}
	var err error
	if x.Devices, err = d.devices(); err != nil {
		return "", fmt.Errorf("describe domain %s: %w", s.Name, err)
	}
	text, err := x.Marshal()
	if err != nil {
		return "", fmt.Errorf("describe domain %s: %w", s.Name, err)
	}
	return text, nil
}

// boot says what the guest boots.
func (d Domain) boot() *xml.DomainOS {
	s := d.Spec
	os := &xml.DomainOS{Type: &xml.DomainOSType{Arch: "x86_64", Machine: "q35", Type: "hvm"},
		Kernel: s.Kernel, Initrd: s.Initrd, Cmdline: s.Append}
	if d.Type == Xen {
		os.Type = &xml.DomainOSType{Arch: "x86_64", Machine: "xenpvh", Type: "xenpvh"}
		return os
	}
	if s.Serial != "" {
		os.SMBios = &xml.DomainSMBios{Mode: "sysinfo"}
	}
	if s.Firmware.Code != "" {
		os.Loader = &xml.DomainLoader{Readonly: "yes", Type: "pflash", Path: s.Firmware.Code}
		os.NVRam = &xml.DomainNVRam{NVRam: s.Firmware.Vars}
	}
	return os
}

func (d Domain) features() *xml.DomainFeatureList {
	f := &xml.DomainFeatureList{ACPI: &xml.DomainFeature{}, APIC: &xml.DomainFeatureAPIC{}}
	switch d.Type {
	case Xen:
		return nil
	case QEMU:
		f.TCG = &xml.DomainFeatureTCG{TBCache: &xml.DomainFeatureTCGTBCache{
			Unit: "MiB", Size: qemu.TranslationBufferMiB}}
	}
	return f
}

// processor is the model that QEMU gets without libvirt, too.
func (d Domain) processor(s *qemu.Spec) *xml.DomainCPU {
	switch {
	case d.Type == Xen:
		return nil
	case d.Type == KVM && s.CPU == "":
		return &xml.DomainCPU{Mode: "host-passthrough", Check: "none"}
	}
	model, features, _ := strings.Cut(s.Processor(), ",")
	cpu := &xml.DomainCPU{Mode: "custom", Match: "exact", Check: "none",
		Model: &xml.DomainCPUModel{Value: model, Fallback: "forbid"}}
	for f := range strings.SplitSeq(features, ",") {
		if name, on := strings.CutPrefix(f, "+"); on {
			cpu.Features = append(cpu.Features, xml.DomainCPUFeature{Policy: "require", Name: name})
		}
	}
	return cpu
}

// clock of a Xen guest counts by the processor's own: where that is emulated, the guest dies.
func (d Domain) clock() *xml.DomainClock {
	c := &xml.DomainClock{Offset: "utc"}
	if d.Type == Xen {
		c.Timer = []xml.DomainTimer{{Name: "tsc", Mode: "native"}}
	}
	return c
}
