package scenarios

import (
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/scenarios/scenario"
)

// offlineWeeks: a device that stood in a storeroom comes back where nobody reaches the controller.
var offlineWeeks = scenario.New("offline-weeks", func(s *scenario.S) {
	d := running(s)
	bootOffline(s, d, 40*24*time.Hour)
	reach(s, d, d.App("web").BootTime)
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
