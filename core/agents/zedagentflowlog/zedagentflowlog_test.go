package zedagentflowlog

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/flowlog"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/host/rig/cloud"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const deviceID = "8a4ae2bc-5a3c-4f4f-a9f0-2f5a47e1a001"

// bench is an onboarded device with one agent.
type bench struct {
	*rig.Rig
	t *testing.T
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{rig.New(t, "zedagent-flowlog", New), t}
	cloud.Named(b.Rig)
	rig.Put(b.Rig, network.DNS, cloud.Network(network.DPCSuccess, "10.0.0.5"))
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	return b
}

// logs puts records with these numbers; each has a flow, whose port is the number.
func (b *bench) logs(from, to uint64) {
	b.t.Helper()
	for n := from; n <= to; n++ {
		rig.Put(b.Rig, network.IPFlows, network.IPFlow{Number: n,
			Flows: []network.FlowRecord{{RemotePort: uint16(n)}}})
	}
	b.settle()
	if got := rig.Get(b.Rig, network.IPFlowsTaken, "taken").Upto; got != to {
		b.t.Fatalf("taken up to %d, want %d", got, to)
	}
	for n := from; n <= to; n++ {
		rig.Delete(b.Rig, network.IPFlows, network.IPFlow{Number: n}.Key())
	}
	b.settle()
}

// settle answers everything but web.Send.
func (b *bench) settle() {
	b.t.Helper()
	b.Step()
	for range 4 {
		cloud.Serve(b.Rig)
		b.Step()
	}
}

// flying is the message under way, nil if there is none.
func (b *bench) flying() *flowlog.FlowMessage {
	b.t.Helper()
	b.settle()
	payload := cloud.Flying(b.t, b.Rig)
	if payload == nil {
		return nil
	}
	m, err := eveapi.ParseFlowLog(payload)
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// sends wants the message of a number to be under way.
func (b *bench) sends(n uint64) {
	b.t.Helper()
	m := b.flying()
	if m == nil || len(m.GetFlows()) != 1 ||
		uint64(m.GetFlows()[0].GetFlow().GetDestPort()) != n {
		b.t.Fatalf("under way is %v, want %d\n%s", m, n, b.Dump())
	}
}

// rests wants no message to be under way for a while, and the next one then.
func (b *bench) rests(d time.Duration, next uint64) {
	b.t.Helper()
	if m := b.flying(); m != nil {
		b.t.Fatalf("sent %v at once", m)
	}
	b.Advance(d - time.Millisecond)
	if m := b.flying(); m != nil {
		b.t.Fatalf("sent again before %v", d)
	}
	b.Advance(time.Millisecond)
	b.sends(next)
}

// code ends the exchange: on the one port that there is.
func (b *bench) code(n int) {
	b.t.Helper()
	rig.Done(b.Rig, web.Send, key, web.SendRes{Code: n, WithTLS: true})
	b.settle()
}

func (b *bench) counts() metrics.FlowlogMetrics {
	if x := rig.Get(b.Rig, metrics.Flowlog, "global"); x != nil {
		return *x
	}
	return metrics.FlowlogMetrics{}
}

func TestNET36_Message(t *testing.T) {
	b := newBench(t)
	at := time.Unix(1000, 0).UTC()
	rig.Put(b.Rig, network.IPFlows, network.IPFlow{Number: 1,
		Scope: network.FlowScope{AppID: "app", Adapter: "eth0", Vif: "nbu1x1", Network: "ni"},
		Flows: []network.FlowRecord{
			{Local: netip.MustParseAddr("10.1.0.2"), Remote: netip.MustParseAddr("192.0.2.1"),
				LocalPort: 80, RemotePort: 3000, Protocol: 6, Inbound: true, ACLID: 5,
				ACLName: "web", Began: at, Ended: at.Add(time.Second), TxBytes: 1, TxPkts: 2,
				RxBytes: 3, RxPkts: 4},
			{Dropped: true}},
		DNS: []network.DNSRequest{{HostName: "x.example", At: at,
			Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}}})
	m := b.flying()
	if s := m.GetScope(); m.GetDevId() != deviceID || s.GetUuid() != "app" || s.GetIntf() != "eth0" ||
		s.GetLocalIntf() != "nbu1x1" || s.GetNetInstUUID() != "ni" {
		t.Errorf("scope %v of %s", s, m.GetDevId())
	}
	f := m.GetFlows()[0]
	if x := f.GetFlow(); x.GetSrc() != "10.1.0.2" || x.GetSrcPort() != 80 ||
		x.GetDest() != "192.0.2.1" || x.GetDestPort() != 3000 || x.GetProtocol() != 6 {
		t.Errorf("ends %v", x)
	}
	if !f.GetInbound() || f.GetAclId() != 5 || f.GetAclName() != "web" || f.GetTxBytes() != 1 ||
		f.GetTxPkts() != 2 || f.GetRxBytes() != 3 || f.GetRxPkts() != 4 ||
		!f.GetStartTime().AsTime().Equal(at) || f.GetEndTime().GetSeconds() != 1001 {
		t.Errorf("flow %v", f)
	}
	// The numbers of actions are not those of EVE's own.
	if f.GetAction() != 2 || m.GetFlows()[1].GetAction() != 1 {
		t.Errorf("actions %d and %d", f.GetAction(), m.GetFlows()[1].GetAction())
	}
	if d := m.GetDnsReqs()[0]; d.GetHostName() != "x.example" || d.GetAddrs()[0] != "192.0.2.1" ||
		d.GetRequestTime().GetSeconds() != 1000 {
		t.Errorf("name %v", d)
	}
}

func TestAPI43_HeadOfLineIsRetriedWithBackoff(t *testing.T) {
	b := newBench(t)
	b.logs(1, 3)
	b.sends(1)
	b.code(404) // any error counts
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 128} {
		b.rests(wait*time.Second, 1)
		b.code(503)
	}
	b.rests(128*time.Second, 1)
	rig.Fail(b.Rig, web.Send, key, agent.Fault{Code: web.FaultTimeout, Text: "timeout"})
	b.settle()
	b.rests(128*time.Second, 1)
	b.code(201)
	b.sends(2) // at once
	b.code(500)
	b.rests(time.Second, 2) // its backoff is its own
	b.code(200)
	b.sends(3)
	b.code(200)
	if m := b.flying(); m != nil {
		t.Errorf("sent %v", m)
	}
	want := metrics.FlowCounters{Success: 3, FailedAttempts: 12}
	if c := b.counts(); c.Messages != want || c.Flows != want ||
		c.DNSReqs != (metrics.FlowCounters{}) {
		t.Errorf("counted %+v", c)
	}
}

func TestAPI43_NET36_DropsWhenFull(t *testing.T) {
	b := newBench(t)
	b.logs(1, maxQueue)
	b.sends(1)
	b.logs(maxQueue+1, maxQueue+5) // no room for them
	if n := len(rig.Rows(b.Rig, queue)); n != maxQueue {
		t.Fatalf("%d messages wait", n)
	}
	if c := b.counts().Messages; c.Drops != 5 {
		t.Errorf("counted %+v", c)
	}
	// A crowd does not wait: what fails is dropped while more than 90 are left.
	for n := uint64(1); n <= 10; n++ {
		b.sends(n)
		b.code(500)
	}
	b.sends(11)
	if c := b.counts().Messages; c.Drops != 15 || c.FailedAttempts != 10 {
		t.Errorf("counted %+v", c)
	}
	b.code(500)
	b.rests(time.Second, 11)
	b.logs(maxQueue+6, maxQueue+6)
	if rows := rig.Rows(b.Rig, queue); rows[len(rows)-1].Number != maxQueue+6 {
		t.Error("what comes is not queued, though there is room")
	}
}

func TestNothingIsSentBeforeOnboarding(t *testing.T) {
	b := newBench(t)
	rig.Delete(b.Rig, node.Onboarding, "global")
	b.logs(1, 1)
	b.Advance(time.Hour)
	if m := b.flying(); m != nil {
		t.Fatalf("sent %v", m)
	}
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	b.sends(1)
}

func TestACrashLosesNothing(t *testing.T) {
	b := newBench(t)
	b.logs(1, 2)
	b.sends(1)
	b.Crash()
	b.settle()
	rig.Done(b.Rig, web.Send, key, web.SendRes{Code: 200, WithTLS: true}) // of the orphan
	b.settle()
	b.sends(1) // nobody knows that it came
	b.code(200)
	b.sends(2)
}
