package domxml_test

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/sim/qemu"
)

var update = flag.Bool("update", false, "write the golden files anew")

// full is a domain that has one of everything.
func full(t *testing.T, kind string) domxml.Domain {
	t.Helper()
	mac, err := net.ParseMAC("02:16:3e:00:00:05")
	if err != nil {
		t.Fatal(err)
	}
	return domxml.Domain{Type: kind, Note: []byte(`{"a":"<&> "}`),
		Spec: qemu.Spec{Name: "5b1a5b1a-0000-4000-8000-0000000000c1.1.1",
			UUID: "5b1a5b1a-0000-4000-8000-0000000000c1", MemoryMiB: 512, VCPUs: 2,
			Kernel: "/k/vmlinuz", Initrd: "/run/a.initrd", Append: "console=ttyS0 quiet", NoReboot: true,
			Disks: []qemu.Disk{{Path: "/persist/v/a.qcow2", Format: "qcow2", Serial: "volume0"},
				{Path: "/persist/v/b.iso", CDROM: true}, {Path: "/persist/v/c.raw", ReadOnly: true}},
			NICs:    []qemu.NIC{{MAC: mac, Tap: "nbu1x1"}},
			Console: qemu.Socket{Path: "/run/a.console", Listen: true},
			PCI:     []string{"0000:01:00.0", "0000:af:1f.7"},
			USB:     []qemu.USBDevice{{Bus: 1, Device: 4}}, Ports: []string{"/dev/ttyS1"}}}
}

func TestGolden(t *testing.T) {
	firmware := full(t, domxml.KVM)
	firmware.Spec.Kernel, firmware.Spec.Initrd, firmware.Spec.Append = "", "", ""
	firmware.Spec.Firmware = qemu.Firmware{Code: "/usr/share/OVMF/OVMF_CODE_4M.fd",
		Vars: "/persist/a.fd"}
	firmware.Spec.Serial, firmware.Spec.USB, firmware.Spec.NoReboot = "A&B", nil, false
	for name, d := range map[string]domxml.Domain{"qemu": full(t, domxml.QEMU),
		"kvm": full(t, domxml.KVM), "xen": full(t, domxml.Xen), "kvm-firmware": firmware} {
		t.Run(name, func(t *testing.T) {
			got, err := d.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".xml")
			if *update {
				if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
				t.Errorf("the description differs (-want +got):\n%s", diff)
			}
			note, err := domxml.Note(got)
			if err != nil || string(note) != string(d.Note) {
				t.Errorf("the note is %q (%v), was %q", note, err, d.Note)
			}
		})
	}
}

// TestZvolIsADevice describes a disk that is a block device, which QEMU does not take for a file.
func TestZvolIsADevice(t *testing.T) {
	for _, kind := range []string{domxml.QEMU, domxml.Xen} {
		d := full(t, kind)
		d.Spec.Disks[0] = qemu.Disk{Path: "/dev/zvol/persist/clear/volumes/a.0", Serial: "volume0"}
		text, err := d.Marshal()
		want := `<source dev="/dev/zvol/persist/clear/volumes/a.0">`
		if err != nil || !strings.Contains(text, want) ||
			!strings.Contains(text, `<disk type="block" device="disk">`) {
			t.Errorf("%s: no %s in %s: %v", kind, want, text, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	for want, change := range map[string]func(*domxml.Domain){
		"unknown type": func(d *domxml.Domain) { d.Type = "lxc" },
		"has no tap": func(d *domxml.Domain) {
			d.Spec.NICs[0] = qemu.NIC{MAC: d.Spec.NICs[0].MAC, Stream: qemu.Socket{Path: "/s"}}
		},
		"is no PCI address":      func(d *domxml.Domain) { d.Spec.PCI = []string{"1:0.0"} },
		"disk 0 has no path":     func(d *domxml.Domain) { d.Spec.Disks[0].Path = "" },
		"is an inherited socket": func(d *domxml.Domain) { d.Spec.Console = qemu.Socket{File: os.Stdin} },
	} {
		d := full(t, domxml.QEMU)
		change(&d)
		if _, err := d.Marshal(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestNoteOfOthers(t *testing.T) {
	for _, text := range []string{"<domain><name>a</name></domain>",
		"<domain><metadata><x:note xmlns:x='urn:x'>YQ==</x:note></metadata></domain>"} {
		if note, err := domxml.Note(text); note != nil || err != nil {
			t.Errorf("%s has note %q, %v", text, note, err)
		}
	}
	ours := "<domain><metadata><evetwin:note xmlns:evetwin='" + domxml.Namespace +
		"'>\n YQ==\n</evetwin:note></metadata></domain>"
	if note, err := domxml.Note(ours); string(note) != "a" || err != nil {
		t.Errorf("the note is %q, %v", note, err)
	}
	for _, text := range []string{strings.Replace(ours, "YQ==", "?", 1), "<domain"} {
		if _, err := domxml.Note(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
