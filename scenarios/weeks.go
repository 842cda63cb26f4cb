package scenarios

import (
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// offlineWeeks: a device that stood in a storeroom comes back where nobody reaches the controller.
var offlineWeeks = scenario.New("offline-weeks", func(s *scenario.S) {
	d := running(s)
	uuid, had := d.UUID(), identity(d, "web")
	d.Twin().World.SetServer(world.ControllerLabel, world.Silent)
	d.PowerCut(40 * 24 * time.Hour)
	s.Wait(40*24*time.Hour + time.Second)
	s.Eventually(func() any { return d.UUID() }, time.Minute).Should(Equal(uuid))
	s.Eventually(d.AppState("web"), 15*time.Minute).Should(Equal("RUNNING"))
	s.Eventually(d.Answers("web", 8080), time.Minute).Should(BeTrue())
	if z := zedagent(d); z.ConfigGetStatus != node.ConfigGetReadSaved {
		s.Fail("the application runs, but not from the saved configuration: %+v", z)
	}
	if now := identity(d, "web"); now != had {
		s.Fail("the application had %s, now has %s", had, now)
	}
	booted := d.App("web").BootTime
	d.Twin().World.SetServer(world.ControllerLabel, world.Up)
	s.Eventually(func() any { return zedagent(d).ConfigGetStatus }, 30*time.Minute).Should(
		Equal(node.ConfigGetSuccess))
	unharmed(s, d, booted, "the controller is back")
}, scenario.Covers("APP-34"))

// emptyWireless: a controller that fills every field in says "wireless" of a cable, and no more.
var emptyWireless = scenario.New("empty-wireless", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	version := d.Set(d.Config().Edit(func(c *config.EdgeDevConfig) {
		for _, n := range c.GetNetworks() {
			n.Wireless = &config.WirelessConfig{}
		}
	}))
	s.Eventually(func() any { return d.ConfigVersion() }, 10*time.Minute).Should(Equal(version))
	s.Wait(settle)
	s.Eventually(func() any { return dpcState(d)() }, time.Minute).Should(Equal("DPC_SUCCESS"))
	unharmed(s, d, booted, "an empty wireless configuration")
})
