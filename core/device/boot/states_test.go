package boot_test

import (
	"testing"

	"github.com/evetwin/evetwin/core/device/boot"
)

func TestStatesAndAttributes(t *testing.T) {
	for state, want := range map[string]uint16{"active": 0x102, "updating": 0x013,
		"inprogress": 0x003, "unused": 0} {
		if got := boot.Attributes(state); got != want {
			t.Errorf("%s is %#x, want %#x", state, got, want)
		}
		if got := boot.StateOf(want); got != state {
			t.Errorf("%#x is %s, want %s", want, got, state)
		}
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name   string
		of     []uint16
		chosen int
		after  uint16
	}{
		{"active alone", []uint16{0x102, 0}, 0, 0x102},
		{"active in the second place", []uint16{0, 0x102}, 1, 0x102},
		{"an update is tried", []uint16{0x102, 0x013}, 1, 0x003},
		{"and not again", []uint16{0x102, 0x003}, 0, 0x102},
		{"both work", []uint16{0x102, 0x102}, 0, 0x102},
		{"two tries", []uint16{0x102, 0x023}, 1, 0x013},
		{"nothing", []uint16{0x003, 0}, -1, 0},
	} {
		if chosen, after := boot.Choose(c.of); chosen != c.chosen || after != c.after {
			t.Errorf("%s: %d with %#x, want %d with %#x", c.name, chosen, after, c.chosen, c.after)
		}
	}
}
