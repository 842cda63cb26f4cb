package qemu_test

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

var update = flag.Bool("update", false, "write the golden files")

func mac(t *testing.T, text string) net.HardwareAddr {
	t.Helper()
	address, err := net.ParseMAC(text)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// TestCommandGolden compares whole command lines, an option and its value per line, with files
// that people can read: what stands there is what runs.
func TestCommandGolden(t *testing.T) {
	file := os.Stdin // only its place in the list of inherited files matters
	container := qemu.Spec{
		Name: "web", UUID: "5b1a5b1a-0000-4000-8000-000000000001", MemoryMiB: 128, NoReboot: true,
		Kernel: "/c/vmlinux", Initrd: "/r/web.cpio", Append: "console=ttyS0 quiet",
		Console: qemu.Socket{File: file}, Monitors: []qemu.Socket{{File: file}},
		NICs: []qemu.NIC{{MAC: mac(t, "02:16:3e:00:00:01"), Stream: qemu.Socket{File: file}}},
	}
	device := qemu.Spec{
		Name: "edge,1", Accel: qemu.KVM, MemoryMiB: 4096, VCPUs: 4, Serial: "SN,1",
		RunAtOnce: true,
		Firmware:  qemu.Firmware{Code: "/fw/OVMF_CODE_4M.fd", Vars: "/d/a,b/vars.fd"},
		Console:   qemu.Socket{Path: "/s/cons", Listen: true},
		Monitors: []qemu.Socket{
			{Path: "/s/qmp", Listen: true}, {Path: "/s/listener.qmp", Listen: true}},
		Disks: []qemu.Disk{
			{Path: "/d/a,b/disk.qcow2", Format: "qcow2", Serial: "vol1"},
			{Path: "/d/root.squashfs", ReadOnly: true},
			{Path: "/d/cidata.iso", CDROM: true},
		},
		NICs: []qemu.NIC{
			{MAC: mac(t, "02:16:3e:00:00:01"), Tap: "nbu1x1"},
			{MAC: mac(t, "02:16:3e:00:00:02"), Stream: qemu.Socket{Path: "/s/net"}},
		},
		TPM: qemu.Socket{Path: "/s/tpm.ctrl"},
	}
	// A guest that outlives us, with what is the host's.
	outlives := qemu.Spec{
		Name: "cam", MemoryMiB: 64, Kernel: "/c/vmlinux",
		Console:  qemu.Socket{File: file, Listen: true},
		Monitors: []qemu.Socket{{File: file, Listen: true}, {File: file, Listen: true}},
		PCI:      []string{"0000:01:00.0", "0000:af:1f.7"},
		USB:      []qemu.USBDevice{{Bus: 1, Device: 4}, {Bus: 2, Device: 11}},
		Ports:    []string{"/dev/ttyS1", "/dev/serial/by-path/a,b"},
	}
	for name, spec := range map[string]qemu.Spec{
		"container": container, "device": device, "outlives": outlives} {
		t.Run(name, func(t *testing.T) {
			command, err := spec.Command()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".args", command.Args)
			want := map[string]int{"container": 3, "device": 0, "outlives": 3}[name]
			if len(command.Files) != want {
				t.Errorf("inherits %d files, want %d", len(command.Files), want)
			}
		})
	}
}

func golden(t *testing.T, name string, args []string) {
	t.Helper()
	var text strings.Builder
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-") && i > 0:
			text.WriteByte('\n')
		case i > 0:
			text.WriteByte(' ')
		}
		text.WriteString(arg)
	}
	text.WriteByte('\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("command line differs (-want +got):\n%s", diff)
	}
}

func TestCommandRefuses(t *testing.T) {
	good := qemu.Spec{Name: "g", MemoryMiB: 64}
	if _, err := good.Command(); err != nil {
		t.Fatalf("the smallest spec is refused: %v", err)
	}
	for want, change := range map[string]func(*qemu.Spec){
		"no name":                    func(s *qemu.Spec) { s.Name = "" },
		"memory of 0 MiB":            func(s *qemu.Spec) { s.MemoryMiB = 0 },
		"unknown accelerator":        func(s *qemu.Spec) { s.Accel = "kvm:tcg" },
		"initramfs without a kernel": func(s *qemu.Spec) { s.Initrd = "i" },
		"both code and variables":    func(s *qemu.Spec) { s.Firmware.Code = "c" },
		"needs a tap or a stream": func(s *qemu.Spec) {
			s.NICs = []qemu.NIC{{MAC: mac(t, "02:00:00:00:00:01")}}
		},
		"has the address":            func(s *qemu.Spec) { s.NICs = []qemu.NIC{{Tap: "t"}} },
		"has no path":                func(s *qemu.Spec) { s.Disks = []qemu.Disk{{Format: "raw"}} },
		`"1:0.0" is no PCI address`:  func(s *qemu.Spec) { s.PCI = []string{"1:0.0"} },
		`"0000:01:00.0,x-y=1" is no`: func(s *qemu.Spec) { s.PCI = []string{"0000:01:00.0,x-y=1"} },
	} {
		bad := good
		change(&bad)
		_, err := bad.Command()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestStateOf(t *testing.T) {
	for status, want := range map[string]qemu.State{
		"running": qemu.Running, "prelaunch": qemu.Paused, "paused": qemu.Paused,
		"postmigrate": qemu.Paused, "inmigrate": qemu.Pausing, "watchdog": qemu.Pausing,
		"shutdown": qemu.Halting, "io-error": qemu.Broken, "guest-panicked": qemu.Broken,
		"internal-error": qemu.Broken, "debug": qemu.Broken, "": qemu.Broken,
	} {
		if got := qemu.StateOf(status); got != want {
			t.Errorf("%q is %s, want %s", status, got, want)
		}
	}
}
