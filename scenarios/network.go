package scenarios

import (
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// seen counts the configuration requests the controller got from a device.
func seen(d *scenario.D, e eveapi.Endpoint) func() any {
	return func() (n any) {
		d.Record(func(r *fleet.Device) { n = r.Count(e) })
		return n
	}
}

// polled counts the configuration requests so far.
func polled(d *scenario.D) int { return seen(d, eveapi.Config)().(int) }

var portFailover = scenario.New("port-failover", func(s *scenario.S) {
	d := s.Device("edge", scenario.NICs(2))
	d.Onboard()
	d.Apply(ports(d))
	s.Eventually(d.MgmtPort, 10*time.Minute).Should(Equal("eth0"))
	s.Cut(d, "eth0")
	s.Eventually(d.MgmtPort, 10*time.Minute).Should(Equal("eth1"))
	n := polled(d)
	s.Eventually(seen(d, eveapi.Config), 5*time.Minute).Should(BeNumerically(">", n+1))
	s.Plug(d, "eth0")
	s.Eventually(d.MgmtPort, 30*time.Minute).Should(Equal("eth0"))
}, scenario.Covers("NET-12", "API-13"))

// dpcState returns a function for Eventually: the state of the port configuration in use.
func dpcState(d *scenario.D) func() any {
	return func() any {
		if n := scenario.Get(d, network.DNS, entity.Global); n != nil {
			return n.State.String()
		}
		return ""
	}
}

// dpcIndex returns a function for Eventually: which of the listed port configurations is in use.
func dpcIndex(d *scenario.D) func() any {
	return func() any {
		if l := scenario.Get(d, network.DPCL, entity.Global); l != nil {
			return l.CurrentIndex
		}
		return -1
	}
}

var configFallback = scenario.New("config-fallback", func(s *scenario.S) {
	d := s.Device("edge", scenario.NICs(2))
	d.Onboard()
	d.Apply(ports(d))
	s.Eventually(d.DPC, 10*time.Minute).Should(Equal("zedagent"))
	s.Eventually(dpcState(d), 10*time.Minute).Should(Equal("DPC_SUCCESS"))
	s.Eventually(dpcIndex(d), 10*time.Minute).Should(Equal(0))

	// Addresses that nobody routes: the device must find back and say so.
	nowhere := fleet.Static("192.0.2.10", "192.0.2.0/24", "192.0.2.1", "192.0.2.1")
	broken := d.Config().MgmtPort("eth0", 0, nowhere).RemovePort("eth1")
	d.Set(broken)
	s.Eventually(dpcIndex(d), 20*time.Minute).Should(Equal(1))
	s.Eventually(dpcState(d), 10*time.Minute).Should(Equal("DPC_SUCCESS"))
	s.Eventually(func() any {
		l := scenario.Get(d, network.DPCL, entity.Global)
		return l.PortConfigList[0].LastError
	}, 5*time.Minute).ShouldNot(BeEmpty())

	d.Set(d.Config().MgmtPort("eth0", 0).MgmtPort("eth1", 1))
	s.Eventually(dpcIndex(d), 30*time.Minute).Should(Equal(0))
	s.Eventually(dpcState(d), 10*time.Minute).Should(Equal("DPC_SUCCESS"))
}, scenario.Covers("NET-8"))

var controller503 = scenario.New("controller-503", func(s *scenario.S) {
	d := s.Device("edge", scenario.NICs(2))
	d.Onboard()
	d.Apply(ports(d))
	s.Eventually(d.DPC, 10*time.Minute).Should(Equal("zedagent"))
	s.Eventually(dpcIndex(d), 10*time.Minute).Should(Equal(0))
	s.Eventually(dpcState(d), 10*time.Minute).Should(Equal("DPC_SUCCESS"))
	s.Fault(controllersim.Fault{Name: "upgrade", Kind: controllersim.FaultStatus, Status: 503})
	s.Consistently(dpcIndex(d), 30*time.Minute).Should(Equal(0))
	s.Eventually(dpcState(d), 10*time.Minute).Should(Equal("DPC_REMOTE_WAIT"))
	s.Heal("upgrade")
	s.Eventually(dpcState(d), 20*time.Minute).Should(Equal("DPC_SUCCESS"))
	d.Apply(d.Config().Item("timer.config.interval", "30"))
}, scenario.Covers("API-10", "NET-10"))
