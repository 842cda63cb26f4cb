package scenarios

import (
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// ports gives a device its two management ports, the second at a cost.
func ports(d *scenario.D) *fleet.Draft {
	return d.Config().MgmtPort("eth0", 0).MgmtPort("eth1", 1)
}

// webApp is an application that serves HTTP from a container image of the registry.
func webApp(name, network string, port uint16) fleet.App {
	return fleet.App{Name: name, CPUs: 1, MemoryKB: 256 << 10, Volumes: []string{name},
		Interfaces: []fleet.Interface{{Network: network, Rules: []fleet.Rule{
			fleet.AllowAll(), fleet.MapPort("tcp", port, scenario.WebPort)}}}}
}

// web is the configuration of the quickstart: two ports, a network, one application from the
// registry.
func web(s *scenario.S, d *scenario.D) *fleet.Draft {
	s.Publish("web", "1")
	return ports(d).
		Registry("registry", scenario.Registry).
		Image(fleet.Image{Name: "web", Store: "registry", URL: "web:1"}).
		Volume(fleet.Volume{Name: "web", Image: "web"}).
		LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"}).
		App(webApp("web", "lan", 8080))
}

// running onboards a device, gives it the web application and waits until it runs and answers.
func running(s *scenario.S, opts ...scenario.DeviceOption) *scenario.D {
	d := s.Device("edge", opts...)
	d.Onboard()
	d.Apply(web(s, d))
	s.Eventually(d.AppState("web"), 10*time.Minute).Should(Equal("RUNNING"))
	s.Eventually(d.Answers("web", 8080), 2*time.Minute).Should(BeTrue())
	return d
}

var quickstart = scenario.New("quickstart", func(s *scenario.S) {
	d := running(s)
	s.Eventually(d.Reported("web"), 2*time.Minute).Should(Equal("RUNNING"))
	if m, ok := d.Machine().(scenario.Real); ok {
		cutsFlows(s, d, m)
	}
}, scenario.Covers("APP-1"), scenario.On(scenario.Virtual, scenario.Live, scenario.Linux),
	scenario.Needs("qemu"))
