package qemu

import (
	"fmt"
	"strconv"
)

// TranslationBufferMiB bounds the memory TCG keeps translated code in; its default is 1 GiB.
// Small guests run from 32 MiB as fast as from more.
const TranslationBufferMiB = 32

// builder collects a command line.
type builder struct {
	cmd Command
}

func (b *builder) add(args ...string) { b.cmd.Args = append(b.cmd.Args, args...) }

// inherit passes a socket's descriptor on and returns its number in the child.
func (b *builder) inherit(s Socket) string {
	b.cmd.Files = append(b.cmd.Files, s.File)
	return strconv.Itoa(firstFile + len(b.cmd.Files) - 1)
}

func (b *builder) machine(s Spec) {
	accel := s.Accel
	if accel != KVM {
		accel = TCG + ",thread=multi,tb-size=" + strconv.Itoa(TranslationBufferMiB)
	}
	vcpus := max(s.VCPUs, 1)
	b.add("-name", escape(s.Name), "-machine", "q35", "-accel", accel, "-cpu", s.Processor(),
		"-m", strconv.Itoa(s.MemoryMiB), "-smp", strconv.Itoa(vcpus),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-shutdown")
	if s.UUID != "" {
		b.add("-uuid", s.UUID)
	}
	if s.Serial != "" {
		b.add("-smbios", "type=1,serial="+escape(s.Serial))
	}
	if s.NoReboot {
		b.add("-no-reboot")
	}
	if !s.RunAtOnce {
		b.add("-S")
	}
}

func (b *builder) boot(s Spec) {
	if s.Firmware.Code != "" {
		b.add("-drive", "if=pflash,format=raw,readonly=on,file="+escape(s.Firmware.Code),
			"-drive", "if=pflash,format=raw,file="+escape(s.Firmware.Vars))
	}
	if s.Kernel == "" {
		return
	}
	b.add("-kernel", s.Kernel)
	if s.Initrd != "" {
		b.add("-initrd", s.Initrd)
	}
	if s.Append != "" {
		b.add("-append", s.Append)
	}
}

// chardev describes a socket as a character device.
func (b *builder) chardev(id string, s Socket) string {
	switch {
	case s.File != nil && s.Listen:
		return "socket,id=" + id + ",fd=" + b.inherit(s) + ",server=on,wait=off"
	case s.File != nil:
		return "socket,id=" + id + ",fd=" + b.inherit(s)
	case s.Listen:
		return "socket,id=" + id + ",path=" + escape(s.Path) + ",server=on,wait=off"
	default:
		return "socket,id=" + id + ",path=" + escape(s.Path)
	}
}

func (b *builder) disk(i int, d Disk, firmwareBoots bool) {
	id := "disk" + strconv.Itoa(i)
	format := d.Format
	if format == "" {
		format = "raw"
	}
	drive := "if=none,id=" + id + ",format=" + format + ",cache=writeback,aio=threads"
	device := "virtio-blk-pci,drive=" + id
	if d.CDROM {
		device = "ide-cd,drive=" + id
		drive += ",media=cdrom"
	}
	if d.ReadOnly || d.CDROM {
		drive += ",readonly=on"
	} else {
		drive += ",discard=unmap"
	}
	if d.Serial != "" {
		device += ",serial=" + escape(d.Serial)
	}
	if firmwareBoots {
		device += ",bootindex=" + strconv.Itoa(i)
	}
	b.add("-drive", drive+",file="+escape(d.Path), "-device", device)
}

func (b *builder) nic(i int, n NIC) {
	id := "net" + strconv.Itoa(i)
	switch {
	case n.Tap != "":
		b.add("-netdev", "tap,id="+id+",ifname="+escape(n.Tap)+",script=no,downscript=no")
	case n.Stream.File != nil:
		b.add("-netdev", "stream,id="+id+",server=off,addr.type=fd,addr.str="+b.inherit(n.Stream))
	default:
		b.add("-netdev", "stream,id="+id+",server=off,addr.type=unix,addr.path="+
			escape(n.Stream.Path))
	}
	// An empty romfile keeps the iPXE ROM away, which only costs firmware time.
	b.add("-device", "virtio-net-pci,netdev="+id+",mac="+n.MAC.String()+",romfile=")
}

// passThrough gives the guest what is the host's. A guest without USB devices has no USB.
func (b *builder) passThrough(s Spec) {
	for _, at := range s.PCI {
		b.add("-device", "vfio-pci,host="+at)
	}
	if len(s.USB) > 0 {
		b.add("-device", "qemu-xhci")
	}
	for _, u := range s.USB {
		b.add("-device", fmt.Sprintf("usb-host,hostbus=%d,hostaddr=%d", u.Bus, u.Device))
	}
	for i, path := range s.Ports {
		id := "port" + strconv.Itoa(i)
		b.add("-chardev", "serial,id="+id+",path="+escape(path),
			"-device", "isa-serial,chardev="+id+",index="+strconv.Itoa(i+1))
	}
}
