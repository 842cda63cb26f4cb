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
	for _, c := range []struct {
		wish, want Under
		daemon     string
		why        string
	}{
		{"", Libvirt, here, here + " is here"},
		{"", QEMU, none, "there is no " + none},
		{QEMU, QEMU, here, "as it is wished"},
		{Libvirt, Libvirt, none, "as it is wished"},
	} {
		got, why, err := choose(c.wish, c.daemon)
		if got != c.want || why != c.why || err != nil {
			t.Errorf("wish %q with %s: %q because %s (%v), want %q because %s", c.wish, c.daemon, got, why,
				err, c.want, c.why)
		}
	}
	if _, _, err := Choose("xl"); err == nil || !strings.Contains(err.Error(), `"xl"`) {
		t.Errorf("a wish that nobody knows: %v", err)
	}
}
