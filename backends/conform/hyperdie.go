package conform

import (
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/hyper"
)

// Dying is a machine whose guests outlive the process of the device, however that ends.
type Dying struct {
	HyperSetup
	// Keep is that of Outliving.
	Keep func(meanwhile func())
	// Die has another process of the device, which does HyperStart, start a domain, and ends it by
	// SIGKILL some time after it began to.
	Die func(name string, after time.Duration)
}

// deaths are how often HyperDies has a process end, the first so long after it began a start and
// each next one so much later: a start has made its files by the first and is over by the last,
// unless the machine is busy.
const (
	deaths     = 20
	firstDeath = 5 * time.Millisecond
	laterDeath = 13 * time.Millisecond
)

// HyperDies checks a part hyper whose process is killed amid starts, many times in a row.
func HyperDies(t *testing.T, mk func(t *testing.T) Dying) {
	var d Dying
	x := newHyperBench(t, func(t *testing.T) HyperSetup { d = mk(t); return d.HyperSetup }, nil)
	became := map[hyper.State]int{}
	for i := range deaths {
		after := firstDeath + time.Duration(i)*laterDeath
		t.Run(after.String()+" into a start", func(t *testing.T) { x.diedUnder(t, d, after, became) })
	}
	t.Logf("what became of the starts: %v", became)
}

// diedUnder kills the process at a moment of a start. The next one finds a guest that runs or none,
// never a half one; it can be started, is one then, and Delete leaves none.
func (x *hyperBench) diedUnder(t *testing.T, d Dying, after time.Duration,
	became map[hyper.State]int,
) {
	s := x.lasting()
	x.create.does(t, hyper.CreateReq{Spec: s}, nil)
	x.restart(t, d.Keep, func() { d.Die(s.Name, after) })
	found, left := x.see(t, s.Name), x.Left()
	became[found.row.State]++
	switch found.row.State {
	case hyper.Defined, hyper.Broken:
		found.is(t, s, found.row.State)
		if len(left) > 0 {
			t.Errorf("a domain that is %s has %v", found.row.State, left)
		}
	default:
		found.is(t, s, hyper.Running)
	}
	var now domain
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&now, s.Name))
	now.is(t, s, hyper.Running)
	again := x.Left()
	if len(again) != 1 || len(left) > 0 && !slices.Equal(again, left) {
		t.Errorf("a guest that ran as %v and was started runs as %v", left, again)
	}
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}

// HyperStart has a device with a part start a domain that exists, for a process that is to be
// killed meanwhile: began is called right before.
func HyperStart(t *testing.T, p Part, name string, began func()) {
	x := newHyperBench(t, func(*testing.T) HyperSetup {
		return HyperSetup{Setup: Setup{Part: p}}
	}, nil)
	x.turn(t, func() {
		began()
		x.start.use.Want("x", hyper.NameReq{Name: name})
	})
	await(t, "the end of this process", nil)
}
