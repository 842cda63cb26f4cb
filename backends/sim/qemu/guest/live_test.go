package guest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
)

// TestDemoAnswers boots the bundled application five times, shuts it down in good order each
// time, and tells the median time from the start of QEMU to the HTTP answer.
func TestDemoAnswers(t *testing.T) {
	b := newBench(t)
	root := b.root(b.demo(), guest.RootOptions{})
	var took []time.Duration
	boots := map[string]bool{}
	rounds := 5
	if testing.Short() {
		rounds = 1
	}
	for i := range rounds {
		out := &console{}
		start := time.Now()
		vm := b.boot(root, guest.Start{Boot: i + 1, Hostname: "web"}, out)
		got := b.ask(out)
		took = append(took, time.Since(start))
		boots[got.BootID] = true
		if got.Kernel != b.machine.Kernel.Version || got.Hostname != "web" || got.UptimeS <= 0 {
			t.Errorf("answer is %+v", got)
		}
		if want := fmt.Sprintf("%s %s boot=%d\n", guest.Banner, uuid, i+1); !strings.Contains(
			out.String(), want) {
			t.Errorf("no %q on the console:\n%s", want, out)
		}
		usage, err := vm.Usage()
		if err != nil {
			t.Error(err)
		}
		stop := time.Now()
		if err := vm.Shutdown(context.Background(), 15*time.Second); err != nil {
			t.Error(err)
		}
		t.Logf("answered after %v, RSS %d MiB, CPU %v, shut down in %v, %+v",
			took[i].Round(10*time.Millisecond), usage.RSSBytes>>20, usage.CPU,
			time.Since(stop).Round(10*time.Millisecond), vm.End())
		if end := vm.End(); !end.Requested || end.Reason != "guest-shutdown" || end.Err != nil {
			t.Errorf("guest ended with %+v; console:\n%s", end, out)
		}
	}
	if len(boots) != rounds {
		t.Errorf("%d boots have %d boot ids", rounds, len(boots))
	}
	slices.Sort(took)
	t.Logf("median %v", took[len(took)/2].Round(10*time.Millisecond))
}
