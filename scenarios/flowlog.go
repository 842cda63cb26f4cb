package scenarios

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/backends/sim/bridge"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// flowsOf returns a function for Eventually: what the controller was told of the flows of an
// application, a line each, in their order.
func flowsOf(d *scenario.D, name string) func() any {
	id := d.Config().AppID(name)
	return func() any {
		var out []string
		d.Record(func(r *fleet.Device) {
			for _, x := range r.ReportsSince(eveapi.FlowLog, 0) {
				m, err := eveapi.ParseFlowLog(x.Body)
				if err != nil {
					out = append(out, err.Error())
					continue
				}
				if s := m.GetScope(); s.GetUuid() != id || s.GetIntf() != "eth0" ||
					s.GetLocalIntf() != "nbu1x1" || s.GetNetInstUUID() == "" {
					out = append(out, fmt.Sprint("scope ", s))
				}
				for _, f := range m.GetFlows() {
					out = append(out, fmt.Sprintf("%v by %d: port %d, inbound %v, %d and %d packets",
						f.GetAction(), f.GetAclId(), f.GetFlow().GetDestPort(), f.GetInbound(),
						f.GetTxPkts(), f.GetRxPkts()))
				}
				for _, q := range m.GetDnsReqs() {
					out = append(out, fmt.Sprint(q.GetHostName(), " ", q.GetAddrs()))
				}
			}
		})
		slices.Sort(out)
		return strings.Join(out, "\n")
	}
}

// talksTo has an application exchange a packet each way with a port of somebody outside, over UDP.
func talksTo(d *scenario.D, name string, port uint16) {
	b := d.Twin().Board.Bridge
	b.Talk(b.Vif(d.Config().AppID(name), "eth0"), bridge.Talk{Packet: bridge.Packet{Out: true,
		Proto: 17, Remote: netip.MustParseAddr("192.0.2.9"), LPort: 4000, RPort: port},
		TxPkts: 1, TxBytes: 48, RxPkts: 1, RxBytes: 48})
}

var flowLog = scenario.New("flow-log", func(s *scenario.S) {
	d := s.Device("edge")
	d.Onboard()
	a := webApp("web", "lan", 8080)
	a.Interfaces[0].Rules = []fleet.Rule{fleet.AllowPort("udp", 123),
		fleet.AllowPort("udp", 124).Drop(), fleet.MapPort("tcp", 8080, scenario.WebPort)}
	d.Apply(web(s, d).App(a))
	up(s, d, "web")
	b := d.Twin().Board.Bridge
	vif := b.Vif(d.Config().AppID("web"), "eth0")

	s.Wait(10 * time.Minute)
	if got := flowsOf(d, "web")(); got != "" {
		s.Fail("told of an application that says nothing: %s", got)
	}
	for _, port := range []uint16{123, 124, 125, 53} {
		talksTo(d, "web", port)
	}
	b.Talk(vif, bridge.Talk{Packet: bridge.Packet{Proto: 6, LPort: scenario.WebPort, RPort: 5000,
		Remote: netip.MustParseAddr("192.0.2.9")}, TxPkts: 4, TxBytes: 900, RxPkts: 5, RxBytes: 400})
	b.Resolve(vif, "time.example", netip.MustParseAddr("192.0.2.9"))
	all := []string{
		"ActionAccept by 1: port 123, inbound false, 1 and 1 packets",
		"ActionAccept by 3: port 5000, inbound true, 4 and 5 packets",
		"ActionDrop by 0: port 125, inbound false, 1 and 0 packets",
		"ActionDrop by 0: port 53, inbound false, 1 and 0 packets",
		"ActionDrop by 2: port 124, inbound false, 1 and 0 packets",
		"time.example [192.0.2.9]"}
	s.Eventually(flowsOf(d, "web"), 3*time.Minute).Should(Equal(strings.Join(all, "\n")))

	// What the controller does not take waits, and comes once.
	s.Fault(controllersim.Fault{Name: "no flows", Kind: controllersim.FaultStatus, Status: 404,
		Endpoint: eveapi.FlowLog})
	talksTo(d, "web", 123)
	s.Wait(20 * time.Minute)
	s.Heal("no flows")
	all = append([]string{all[0]}, all...)
	s.Eventually(flowsOf(d, "web"), 5*time.Minute).Should(Equal(strings.Join(all, "\n")))

	// Without a flow log the application goes on, and nothing is told.
	booted := d.App("web").BootTime
	d.Apply(d.Config().LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink", NoFlowLog: true}))
	s.Wait(5 * time.Minute)
	talksTo(d, "web", 123)
	b.Resolve(vif, "time.example", netip.MustParseAddr("192.0.2.9"))
	s.Wait(10 * time.Minute)
	if got := flowsOf(d, "web")(); got != strings.Join(all, "\n") {
		s.Fail("told without a flow log: %s", got)
	}
	if now := d.App("web").BootTime; !now.Equal(booted) {
		s.Fail("the application was started again at %v", now)
	}
}, scenario.Covers("API-43", "NET-36"))
