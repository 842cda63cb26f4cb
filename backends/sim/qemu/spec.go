package qemu

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// Accelerators.
const (
	// TCG translates guest code and works everywhere.
	TCG = "tcg"
	// KVM runs guest code on the processor.
	KVM = "kvm"
)

// Spec describes a guest. Paths should be absolute.
type Spec struct {
	// Name shows in process lists and errors.
	Name string
	// UUID is the guest's SMBIOS UUID, and EVE's identity of the application.
	UUID string
	// Accel is TCG or KVM; empty means TCG.
	Accel string
	// CPU is the processor model; empty means the one for the accelerator.
	CPU string
	// MemoryMiB is the guest's memory.
	MemoryMiB int
	// VCPUs is the number of processors; 0 means 1.
	VCPUs int
	// Kernel, Initrd and Append boot a kernel directly; an empty Kernel boots the firmware.
	Kernel, Initrd, Append string
	// Firmware replaces SeaBIOS.
	Firmware Firmware
	// Serial is the SMBIOS serial number; empty means none.
	Serial string
	// Disks appear to the guest in this order, as vda, vdb and so on.
	Disks []Disk
	// NICs appear in this order, as eth0, eth1 and so on.
	NICs []NIC
	// Console is the first serial port, ttyS0.
	Console Socket
	// Monitors are QMP monitors; each takes one client.
	Monitors []Socket
	// PCI are addresses of adapters, "0000:01:00.0", which are bound away from the host already.
	PCI []string
	// USB are devices of the host as its kernel numbers them.
	USB []USBDevice
	// Ports are serial ports of the host, "/dev/ttyS1": ttyS1, ttyS2 and so on of the guest, whose
	// first one is its console.
	Ports []string
	// TPM is the control socket of a swtpm; the zero Socket means no TPM.
	TPM Socket
	// NoReboot ends the guest where it would reset.
	NoReboot bool
	// RunAtOnce starts the guest running instead of paused.
	RunAtOnce bool
}

// Firmware is a UEFI firmware in two parts.
type Firmware struct {
	// Code is the read-only image, for example OVMF_CODE_4M.fd.
	Code string
	// Vars is the guest's own variable store, which is written to.
	Vars string
}

// Disk is a block device of the guest.
type Disk struct {
	// Path is the image.
	Path string
	// Format is raw or qcow2; empty means raw.
	Format string
	// ReadOnly keeps the guest from writing.
	ReadOnly bool
	// CDROM attaches it as a CD drive instead of a virtio disk.
	CDROM bool
	// Serial lets the guest find the disk, at most 20 bytes; empty means none.
	Serial string
}

// NIC is a virtio network device. Exactly one of Tap and Stream is set.
type NIC struct {
	// MAC is its address.
	MAC net.HardwareAddr
	// Tap is the name of an existing tap interface.
	Tap string
	// Stream carries frames, each behind its length as 32 bits big-endian.
	Stream Socket
}

// USBDevice is a device on a bus; it gets another number each time it is plugged in.
type USBDevice struct{ Bus, Device uint }

// Socket is a unix stream socket between QEMU and another process: inherited if File is set,
// else at Path.
type Socket struct {
	// File is QEMU's end of a connected pair, or, with Listen, a socket that listens already.
	File *os.File
	// Path is where QEMU connects to, or listens if Listen is set.
	Path string
	// Listen makes QEMU listen at Path, or at File. It does not wait for a client.
	Listen bool
}

func (s Socket) set() bool { return s.File != nil || s.Path != "" }

// Command is how to start QEMU for a Spec.
type Command struct {
	// Args are the arguments after the program's name.
	Args []string
	// Files are inherited from descriptor 3 upwards.
	Files []*os.File
}

// firstFile is the number of the first inherited descriptor.
const firstFile = 3

// Processor returns the processor model. TCG gets what x86-64-v2 asks for, as the user lands of
// today's images do, and a random number generator, without which a guest waits for entropy.
func (s Spec) Processor() string {
	switch {
	case s.CPU != "":
		return s.CPU
	case s.Accel == KVM:
		return "host"
	default:
		return "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand"
	}
}

// Check refuses what QEMU would take for something else.
func (s Spec) Check() error {
	switch {
	case s.Name == "":
		return errors.New("guest has no name")
	case s.MemoryMiB <= 0:
		return fmt.Errorf("guest %s: memory of %d MiB", s.Name, s.MemoryMiB)
	case s.Accel != "" && s.Accel != TCG && s.Accel != KVM:
		return fmt.Errorf("guest %s: unknown accelerator %q", s.Name, s.Accel)
	case s.Kernel == "" && s.Initrd != "":
		return fmt.Errorf("guest %s: an initramfs without a kernel", s.Name)
	case (s.Firmware.Code == "") != (s.Firmware.Vars == ""):
		return fmt.Errorf("guest %s: firmware needs both code and variables", s.Name)
	}
	for i, nic := range s.NICs {
		if (nic.Tap != "") == nic.Stream.set() {
			return fmt.Errorf("guest %s: NIC %d needs a tap or a stream", s.Name, i)
		}
		if len(nic.MAC) != 6 {
			return fmt.Errorf("guest %s: NIC %d has the address %q", s.Name, i, nic.MAC)
		}
	}
	for i, disk := range s.Disks {
		if disk.Path == "" {
			return fmt.Errorf("guest %s: disk %d has no path", s.Name, i)
		}
	}
	for _, at := range s.PCI {
		if _, err := ParsePCI(at); err != nil {
			return fmt.Errorf("guest %s: %w", s.Name, err)
		}
	}
	return nil
}

// ParsePCI reads an address of PCI, "0000:01:00.0": domain, bus, slot and function.
func ParsePCI(text string) (at [4]uint, err error) {
	n, err := fmt.Sscanf(text, "%4x:%2x:%2x.%1x", &at[0], &at[1], &at[2], &at[3])
	if err != nil || n != len(at) ||
		fmt.Sprintf("%04x:%02x:%02x.%x", at[0], at[1], at[2], at[3]) != text {
		return at, fmt.Errorf("%q is no PCI address", text)
	}
	return at, nil
}

// Command returns the command line for the guest. Equal specs give equal command lines.
func (s Spec) Command() (Command, error) {
	if err := s.Check(); err != nil {
		return Command{}, err
	}
	b := &builder{}
	b.machine(s)
	b.boot(s)
	if s.Console.set() {
		b.add("-chardev", b.chardev("console", s.Console), "-serial", "chardev:console")
	}
	for i, monitor := range s.Monitors {
		id := "qmp" + strconv.Itoa(i)
		b.add("-chardev", b.chardev(id, monitor), "-mon", "chardev="+id+",mode=control")
	}
	for i, disk := range s.Disks {
		b.disk(i, disk, s.Kernel == "")
	}
	for i, nic := range s.NICs {
		b.nic(i, nic)
	}
	b.passThrough(s)
	if s.TPM.set() {
		b.add("-chardev", b.chardev("tpm", s.TPM),
			"-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0")
	}
	return b.cmd, nil
}

// escape doubles commas, which separate options.
func escape(value string) string { return strings.ReplaceAll(value, ",", ",,") }
