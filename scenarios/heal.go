package scenarios

import (
	"encoding/json"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// port is the device's port that is mapped to the application.
const port = 8080

// healing is how long the device may take to mend itself.
const healing = 2 * time.Minute

// guest is which boot of a guest's kernel answers, and how long that runs.
type guest struct {
	BootID string  `json:"boot_id"`
	Uptime float64 `json:"uptime_s"`
}

// answering is the guest that answers; nil if none does.
func answering(m scenario.Real) *guest {
	text, err := m.Get(port)
	var g guest
	if err != nil || json.Unmarshal(text, &g) != nil {
		return nil
	}
	return &g
}

// cutsFlows is that an edit of the access rules ends what an open connection carries, and that
// another edit lets it through again.
func cutsFlows(s *scenario.S, d *scenario.D, m scenario.Real) {
	f, err := m.Open(port)
	s.Must(err)
	defer func() { _ = f.Close() }() // which has been cut
	s.Must(f.Ask())
	app := webApp("web", "lan", port)
	app.Interfaces[0].Rules = append([]fleet.Rule{fleet.AllowIP(m.Peer() + "/32").Drop()},
		app.Interfaces[0].Rules...)
	d.Apply(d.Config().App(app))
	s.Eventually(func() any { return f.Ask() }, time.Minute).Should(HaveOccurred())
	s.Eventually(d.Answers("web", port), 20*time.Second).Should(BeFalse())
	d.Apply(d.Config().App(webApp("web", "lan", port)))
	s.Eventually(d.Answers("web", port), time.Minute).Should(BeTrue())
}

// linuxHeals is a life in which everything is broken once that can be: each process of the device,
// then what it has made in the kernel and the programs it runs. The guest does not notice.
var linuxHeals = scenario.New("linux-heals", func(s *scenario.S) {
	d := running(s)
	m := d.Machine().(scenario.Real)
	s.Eventually(d.Reported("web"), healing).Should(Equal("RUNNING"))
	s.Wait(settled)
	before, first := s.State(), answering(m)
	same := func(after string) {
		var now *guest
		s.Eventually(func() any { now = answering(m); return now != nil }, healing).Should(BeTrue())
		if now.BootID != first.BootID || now.Uptime < first.Uptime {
			s.Fail("after %s: the guest is %+v, it was %+v", after, now, first)
		}
	}
	for _, p := range m.Processes() {
		n, _ := m.Restarts(p)
		s.Must(m.Kill(p))
		s.Eventually(func() any { now, ok := m.Restarts(p); return ok && now > n }, healing).
			Should(BeTrue())
		same("the end of " + p)
	}
	for _, thing := range scenario.Breakables() {
		s.Must(m.Break(thing))
		s.Eventually(func() any { return m.Mended(thing) }, healing).Should(BeTrue())
		same("the end of " + thing)
	}
	s.Eventually(d.AppState("web"), healing).Should(Equal(entity.RUNNING.String()))
	s.Eventually(func() any { return scenario.Diff(before, s.State()) }, healing).Should(BeEmpty())
}, scenario.On(scenario.Linux), scenario.Needs("qemu"))

// settled is how long a device has nothing to do when it has done all.
const settled = 5 * time.Second
