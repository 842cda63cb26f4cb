package scenarios

import (
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/backends/operator"
	device "github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// asks has the operator of a device ask for something and waits for a success.
func asks(s *scenario.S, d *scenario.D, q device.RequestSeen) {
	var got *operator.Answer
	s.Must(d.Twin().Board.Operator.Ask(q, func(a operator.Answer) { got = &a }))
	s.Eventually(func() any { return got != nil && got.OK }, time.Minute).Should(BeTrue())
}

// dpcKey returns a function for Eventually: the port configuration in use, once it works.
func dpcKey(d *scenario.D) func() any {
	return func() any {
		n := scenario.Get(d, network.DNS, entity.Global)
		if n == nil || n.State != network.DPCSuccess {
			return ""
		}
		return n.DPCKey
	}
}

var portsByHand = scenario.New("ports-by-hand", func(s *scenario.S) {
	d := s.Device("edge", scenario.NICs(2))
	d.Onboard()
	d.Apply(ports(d))
	s.Eventually(dpcKey(d), 10*time.Minute).Should(Equal("zedagent"))
	asks(s, d, device.RequestSeen{Kind: device.SetInterface,
		Interface: &device.Interface{Name: "eth0", Mode: device.ModeDHCP, Domain: "by.hand"}})
	s.Eventually(dpcKey(d), 10*time.Minute).Should(Equal("manual"))
	d.Apply(ports(d)) // the controller's word comes after the operator's
	s.Consistently(dpcKey(d), 10*time.Minute).Should(Equal("manual"))
	boots := d.Twin().Boots()
	d.PowerCut(time.Minute)
	s.Eventually(func() any { return d.Twin().Boots() }, 5*time.Minute).
		Should(BeNumerically(">", boots))
	s.Eventually(dpcKey(d), 15*time.Minute).Should(Equal("manual"))
	asks(s, d, device.RequestSeen{Kind: device.Revert})
	s.Eventually(dpcKey(d), 10*time.Minute).Should(Equal("zedagent"))
}, scenario.Covers("DEV-45", "NET-5"))
