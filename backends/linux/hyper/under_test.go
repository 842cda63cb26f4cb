package hyper

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	here := filepath.Join(t.TempDir(), "libvirtd")
	if err := os.WriteFile(here, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	none := here + "-of-nobody"
	empty, ours, virt := t.TempDir(), t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(ours, "qemu/a.domain"),
		filepath.Join(virt, "libvirt/etc/qemu/a.xml")} {
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const before = "it has guests since before"
	for _, c := range []struct {
		wish, want  Under
		run, daemon string
		why         string
	}{
		{"", Libvirt, empty, here, here + " is here"},
		{"", QEMU, empty, none, "there is no " + none},
		{QEMU, QEMU, empty, here, "as it is wished"},
		{Libvirt, Libvirt, empty, none, "as it is wished"},
		{"", QEMU, ours, here, before},
		{Libvirt, QEMU, ours, here, before},
		{"", Libvirt, virt, none, before},
		{QEMU, Libvirt, virt, here, before},
	} {
		got, why, err := choose(c.wish, c.run, c.daemon)
		if got != c.want || why != c.why || err != nil {
			t.Errorf("wish %q with %s: %q because %s (%v), want %q because %s", c.wish, c.daemon, got, why,
				err, c.want, c.why)
		}
	}
	if _, _, err := Choose("xl", empty); err == nil || !strings.Contains(err.Error(), `"xl"`) {
		t.Errorf("a wish that nobody knows: %v", err)
	}
}
