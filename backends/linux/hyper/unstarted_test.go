package hyper

import (
	"testing"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	device "github.com/evetwin/evetwin/core/device/hyper"
)

// TestUnstartedByDescription reads what stands in descriptions of domains.
func TestUnstartedByDescription(t *testing.T) {
	describe := func(note []byte) string {
		text, err := domxml.Domain{Type: domxml.QEMU, Note: note,
			Spec: qemu.Spec{Name: "one", MemoryMiB: 64}}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	noted := func(starting bool) string {
		n := note{Spec: device.Spec{Name: "one"}, ID: 1, Boots: 1, Starting: starting}
		text, err := n.text()
		if err != nil {
			t.Fatal(err)
		}
		return describe(text)
	}
	half := noted(true)
	for what, c := range map[string]struct {
		description string
		want        bool
	}{
		"half started":           {half, true},
		"started":                {noted(false), false},
		"another's":              {describe(nil), false},
		"another's note":         {describe([]byte("Starting")), false},
		"not written to the end": {half[:len(half)/2], false},
	} {
		if got := unstarted(c.description); got != c.want {
			t.Errorf("a domain whose description is %s is called unstarted: %v", what, got)
		}
	}
}
