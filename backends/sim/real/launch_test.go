package real

import (
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/sim/disk"
	device "github.com/evetwin/evetwin/core/device/hyper"
)

// TestImagesThatQEMUDoesNotRun has volumes with images of several architectures.
func TestImagesThatQEMUDoesNotRun(t *testing.T) {
	d := disk.New(1<<30, 1<<20)
	h := &Hyper{Disk: d}
	for arch, why := range map[string]string{"": "", Arch: "",
		"arm64": "its image is for arm64, and guests in QEMU are amd64 here"} {
		v := &disk.Volume{Format: "container"}
		for _, text := range []string{"manifest of " + arch, `{"architecture": "` + arch + `"}`} {
			c := disk.Bytes([]byte(text))
			d.Blobs[c.Sha256()] = c
			v.Blobs = append(v.Blobs, c.Sha256())
		}
		d.Volumes["v#0"] = v
		s := &device.Spec{Disks: []device.Disk{{VolumeKey: "v#0", Format: "container"}}}
		if got := h.modelled(s); got != why {
			t.Errorf("an image for %q: %q, want %q", arch, got, why)
		}
		c := d.Blobs[v.Blobs[1]]
		c.Modelled = true
		d.Blobs[v.Blobs[1]] = c
		if got := h.modelled(s); !strings.Contains(got, "made it up") {
			t.Errorf("an image for %q that was made up: %q", arch, got)
		}
	}
}
