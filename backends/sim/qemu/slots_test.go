package qemu_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSlotsBoundWhoBoots(t *testing.T) {
	slots := qemu.NewSlots(2)
	first, err := slots.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := slots.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	full, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := slots.Take(full); !errors.Is(err, context.Canceled) {
		t.Errorf("a third slot of two: %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := slots.Take(t.Context())
		waiting <- err
	}()
	first()
	first() // giving back twice frees one slot
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	if _, err := slots.Take(full); !errors.Is(err, context.Canceled) {
		t.Errorf("a slot given back twice was free twice: %v", err)
	}
	var none *qemu.Slots
	if _, err := none.Take(full); err != nil {
		t.Errorf("without slots nobody waits: %v", err)
	}
}

func TestUsageOfOddNames(t *testing.T) {
	stat := "77 (qemu (x) 1 2) S 1 77 77 0 -1 4194560 1 2 3 4 150 50 0 0 20 0"
	got, err := qemu.ParseUsage("1000 3 2 1 0 5 0", stat)
	if err != nil || got.CPU.Milliseconds() != 2000 || got.RSSBytes%3 != 0 {
		t.Errorf("usage is %+v, %v", got, err)
	}
	for _, bad := range []string{"", "77 (x) S", "77 (x) S 1 77 77 0 -1 4194560 1 2 3 4 a b 0"} {
		if _, err := qemu.ParseUsage("1 1", bad); err == nil {
			t.Errorf("%q is read as usage", bad)
		}
	}
}
