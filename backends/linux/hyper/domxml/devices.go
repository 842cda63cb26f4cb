package domxml

import (
	"fmt"
	"strings"

	xml "libvirt.org/go/libvirtxml"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// devices are all devices of the guest. What libvirt would add unasked is told to stay away.
func (d Domain) devices() (*xml.DomainDeviceList, error) {
	out := &xml.DomainDeviceList{MemBalloon: &xml.DomainMemBalloon{Model: "none"}}
	if d.Type != Xen && len(d.Spec.USB) == 0 {
		out.Controllers = []xml.DomainController{{Type: "usb", Model: "none"}}
	}
	for i, disk := range d.Spec.Disks {
		out.Disks = append(out.Disks, d.disk(i, disk))
	}
	for i, nic := range d.Spec.NICs {
		if nic.Tap == "" {
			return nil, fmt.Errorf("NIC %d has no tap", i)
		}
		out.Interfaces = append(out.Interfaces, d.nic(nic))
	}
	if err := d.console(out); err != nil {
		return nil, err
	}
	for i, path := range d.Spec.Ports {
		port := uint(i + 1)
		out.Serials = append(out.Serials, xml.DomainSerial{
			Source: &xml.DomainChardevSource{Dev: &xml.DomainChardevSourceDev{Path: path}},
			Target: &xml.DomainSerialTarget{Port: &port}})
	}
	for _, text := range d.Spec.PCI {
		host, err := d.pci(text)
		if err != nil {
			return nil, err
		}
		out.Hostdevs = append(out.Hostdevs, host)
	}
	for _, u := range d.Spec.USB {
		out.Hostdevs = append(out.Hostdevs, xml.DomainHostdev{Managed: "no",
			SubsysUSB: &xml.DomainHostdevSubsysUSB{Source: &xml.DomainHostdevSubsysUSBSource{
				Address: &xml.DomainAddressUSB{Bus: &u.Bus, Device: &u.Device}}}})
	}
	return out, nil
}

// console is a socket that QEMU listens at; Xen has only terminals, which its own daemon serves.
func (d Domain) console(out *xml.DomainDeviceList) error {
	var port uint
	if d.Type == Xen {
		out.Consoles = []xml.DomainConsole{{
			Source: &xml.DomainChardevSource{Pty: &xml.DomainChardevSourcePty{}},
			Target: &xml.DomainConsoleTarget{Type: "xen", Port: &port}}}
		return nil
	}
	switch c := d.Spec.Console; {
	case c.File != nil:
		return fmt.Errorf("the console is an inherited socket")
	case c.Path != "":
		out.Serials = []xml.DomainSerial{{Source: &xml.DomainChardevSource{
			UNIX: &xml.DomainChardevSourceUNIX{Mode: "bind", Path: c.Path}},
			Target: &xml.DomainSerialTarget{Port: &port}}}
	}
	return nil
}

// letters name disks: vda, vdb.
func (d Domain) target(i int, cdrom bool) *xml.DomainDiskTarget {
	prefix, bus := "vd", "virtio"
	switch {
	case d.Type == Xen:
		prefix, bus = "xvd", "xen"
	case cdrom:
		prefix, bus = "sd", "sata"
	}
	return &xml.DomainDiskTarget{Dev: prefix + string(rune('a'+i)), Bus: bus}
}

// zvols is where disks are that are devices, and no files.
const zvols = "/dev/zvol/"

func (d Domain) disk(i int, disk qemu.Disk) xml.DomainDisk {
	format := disk.Format
	if format == "" {
		format = "raw"
	}
	x := xml.DomainDisk{Device: "disk", Target: d.target(i, disk.CDROM),
		Driver: &xml.DomainDiskDriver{Name: "qemu", Type: format, Cache: "writeback", IO: "threads"},
		Source: &xml.DomainDiskSource{File: &xml.DomainDiskSourceFile{File: disk.Path}}}
	if strings.HasPrefix(disk.Path, zvols) {
		x.Source = &xml.DomainDiskSource{Block: &xml.DomainDiskSourceBlock{Dev: disk.Path}}
	}
	if disk.CDROM {
		x.Device = "cdrom"
	}
	if disk.ReadOnly || disk.CDROM {
		x.ReadOnly = &xml.DomainDiskReadOnly{}
	} else {
		x.Driver.Discard = "unmap"
	}
	if d.Type == Xen {
		x.Driver = &xml.DomainDiskDriver{Name: "qemu", Type: format}
		return x
	}
	x.Serial = disk.Serial
	if d.Spec.Kernel == "" {
		x.Boot = &xml.DomainDeviceBoot{Order: uint(i + 1)}
	}
	return x
}

// nic hangs on a tap that is ours: libvirt neither makes nor removes it. On Xen, whose interfaces
// are no taps, the name is that of the interface that Xen makes.
func (d Domain) nic(n qemu.NIC) xml.DomainInterface {
	x := xml.DomainInterface{MAC: &xml.DomainInterfaceMAC{Address: n.MAC.String()},
		Source: &xml.DomainInterfaceSource{Ethernet: &xml.DomainInterfaceSourceEthernet{}},
		Target: &xml.DomainInterfaceTarget{Dev: n.Tap}}
	if d.Type == Xen {
		return x
	}
	x.Target.Managed = "no"
	x.Model = &xml.DomainInterfaceModel{Type: "virtio"}
	x.ROM = &xml.DomainROM{Enabled: "no"}
	return x
}

// pci passes an adapter through by the driver that holds it for guests.
func (d Domain) pci(text string) (xml.DomainHostdev, error) {
	at, err := qemu.ParsePCI(text)
	if err != nil {
		return xml.DomainHostdev{}, err
	}
	driver := "vfio"
	if d.Type == Xen {
		driver = "xen"
	}
	return xml.DomainHostdev{Managed: "no", SubsysPCI: &xml.DomainHostdevSubsysPCI{
		Driver: &xml.DomainHostdevSubsysPCIDriver{Name: driver},
		Source: &xml.DomainHostdevSubsysPCISource{Address: &xml.DomainAddressPCI{
			Domain: &at[0], Bus: &at[1], Slot: &at[2], Function: &at[3]}}}}, nil
}
