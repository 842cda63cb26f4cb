package zedbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Machine says what a device of real parts stands on; the file of --machine has it as JSON. What is
// empty is not there, but for what says otherwise.
type Machine struct {
	// Name is the device's; empty: the host's.
	Name string `json:"name,omitempty"`
	// Space is a network namespace by its name under /run/netns; empty: that of the process. Ports
	// are interfaces that count as physical beside those that hang on a bus.
	Space string   `json:"space,omitempty"`
	Ports []string `json:"ports,omitempty"`
	// ResolvConf is the file of the name service that the device writes.
	ResolvConf string `json:"resolv_conf,omitempty"`
	// TPM is a device node or the socket of a software TPM, TPMKind "device" or "swtpm".
	TPM     string `json:"tpm,omitempty"`
	TPMKind string `json:"tpm_kind,omitempty"`
	// Disk is the disk with the operating system, Current the label of the partition that runs;
	// empty: the kernel's command line has it.
	Disk    string `json:"disk,omitempty"`
	Current string `json:"current,omitempty"`
	// ConfigFrom is where the partition with the device's inputs is mounted, of which /config is a
	// copy in memory; empty: they are in /config.
	ConfigFrom string `json:"config_from,omitempty"`
	// Roots is a file with the roots that the system trusts, in PEM; empty: the machine's own.
	Roots string `json:"roots,omitempty"`
	// Cache is the folder with the kernel and the programs of guests; empty: the user's.
	Cache string `json:"cache,omitempty"`
	// Hyper is what runs guests, "libvirt" or "qemu" for QEMU without it; empty: libvirt where it is
	// installed.
	Hyper string `json:"hyper,omitempty"`
	// MemoryMB is what guests may have together; 0 means all of the machine.
	MemoryMB uint64 `json:"memory_mb,omitempty"`
	// Sys is where sysfs is mounted, for adapters and what the firmware says; empty: /sys.
	Sys string `json:"sys,omitempty"`
	// Lights is where the kernel shows lights; empty: /sys/class/leds.
	Lights string `json:"lights,omitempty"`
	// Lab says that the machine is not the device's own: its clock is left alone, and a reset ends
	// all processes, after ResetFile was written.
	Lab bool `json:"lab,omitempty"`
}

// Reset is how a device of a lab ended by itself.
type Reset struct {
	// Off says that it is to stay off.
	Off bool `json:"off"`
}

// ResetFile is where a device of a lab says how it ended.
func (r Root) ResetFile() string { return filepath.Join(r.own(), "reset.json") }

// WriteReset says how a device of a lab ends.
func WriteReset(r Root, off bool) error { return save(r.ResetFile(), Reset{off}) }

// ReadReset reads how a device of a lab ended by itself; nil if it did not.
func ReadReset(r Root) (*Reset, error) {
	var x Reset
	err := load(r.ResetFile(), &x)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read how the device ended: %w", err)
	}
	return &x, nil
}
