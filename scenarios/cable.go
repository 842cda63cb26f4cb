package scenarios

import (
	"fmt"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/scenarios/scenario"
)

var dhcpGone = scenario.New("dhcp-gone", func(s *scenario.S) {
	d := s.Device("edge", scenario.NICs(1))
	t := d.Twin()
	t.World.SetDHCP("network0", false)
	d.Boot()
	s.Wait(30 * time.Minute)
	if d.UUID() != "" {
		s.Fail("onboarded without an address")
	}
	t.World.SetDHCP("network0", true)
	s.Eventually(func() any { return d.UUID() }, 15*time.Minute).ShouldNot(BeEmpty())
	s.Publish("web", "1")
	d.Apply(web(s, d).RemovePort("eth1"))
	up(s, d, "web")
	booted := d.App("web").BootTime
	t.World.SetDHCP("network0", false) // longer than any lease
	s.Wait(25 * time.Hour)
	unharmed(s, d, booted, "a day without a DHCP server")
	t.World.SetDHCP("network0", true)
	s.Eventually(d.Answers("web", 8080), 30*time.Minute).Should(BeTrue())
	n := polled(d)
	s.Eventually(seen(d, "config"), 30*time.Minute).Should(BeNumerically(">", n))
	unharmed(s, d, booted, "the DHCP server is back")
}, scenario.Slow())

var cableFlaps = scenario.New("cable-flaps", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	had := identity(d, "web")
	for i := range 40 {
		key := fmt.Sprintf("flap/%d", i)
		port := "eth" + fmt.Sprint(s.Draw(key)%2)
		s.Cut(d, port)
		s.Wait(s.Between(key+"/out", 0, 90*time.Second))
		s.Plug(d, port)
		s.Wait(s.Between(key+"/in", 0, 90*time.Second))
		unharmed(s, d, booted, key)
	}
	s.Eventually(d.MgmtPort, 30*time.Minute).Should(Equal("eth0"))
	s.Eventually(d.DPC, 10*time.Minute).Should(Equal("zedagent"))
	s.Eventually(dpcIndex(d), 30*time.Minute).Should(Equal(0))
	s.Eventually(dpcState(d), 10*time.Minute).Should(Equal("DPC_SUCCESS"))
	s.Eventually(d.Answers("web", 8080), time.Minute).Should(BeTrue())
	if now := identity(d, "web"); now != had {
		s.Fail("the application had %s, now has %s", had, now)
	}
	d.Apply(d.Config().Item("timer.metric.interval", "61"))
})
