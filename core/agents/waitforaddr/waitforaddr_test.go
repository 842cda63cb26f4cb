package waitforaddr_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/waitforaddr"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// port is a management port with addresses and time servers.
func port(ntp []string, addrs ...string) network.NetworkPortStatus {
	p := network.NetworkPortStatus{IfName: "eth0", IsMgmt: true, NtpServers: ntp}
	for _, a := range addrs {
		p.AddrInfoList = append(p.AddrInfoList, netip.MustParsePrefix(a))
	}
	return p
}

func net(r *rig.Rig, ports ...network.NetworkPortStatus) {
	rig.Put(r, network.DNS, network.DeviceNetworkStatus{Ports: ports})
	r.Step()
}

func status(r *rig.Rig) node.WaitForAddrStatus {
	if row := rig.Get(r, node.WaitForAddr, "global"); row != nil {
		return *row
	}
	return node.WaitForAddrStatus{}
}

func TestNET22_FirstUsableAddressEndsTheWait(t *testing.T) {
	r := rig.New(t, "waitforaddr", waitforaddr.New)
	rig.Put(r, clock.Clock, clock.ClockSeen{RTC: true})
	app := port(nil, "10.0.0.9/24")
	app.IsMgmt = false
	net(r, port(nil), app)
	net(r, port(nil, "169.254.3.4/16", "fe80::1/64"), app)
	if s := status(r); s.Ready || s.Step != "waiting for an address" {
		t.Fatalf("ready without a usable address: %+v", s)
	}
	net(r, port(nil, "169.254.3.4/16", "10.0.0.5/24"), app)
	if s := status(r); !s.Ready || s.Addr.String() != "10.0.0.5" || s.Step != "done" {
		t.Fatalf("not ready with an address: %+v", s)
	}
	net(r, port(nil), app)
	r.Crash()
	r.Step()
	if s := status(r); !s.Ready || s.Addr.String() != "10.0.0.5" {
		t.Errorf("ready no more: %+v", s)
	}
}

func TestNET22_FiveMinutesEndTheWait(t *testing.T) {
	r := rig.New(t, "waitforaddr", waitforaddr.New)
	rig.Put(r, clock.Clock, clock.ClockSeen{RTC: true})
	net(r, port(nil))
	r.Advance(5*time.Minute - time.Second)
	if status(r).Ready {
		t.Fatal("ready too soon")
	}
	r.Crash()
	r.Advance(2 * time.Second)
	if s := status(r); !s.Ready || s.Addr.IsValid() {
		t.Errorf("after five minutes: %+v", s)
	}
}

func TestClockIsSetFromTheNetwork(t *testing.T) {
	r := rig.New(t, "waitforaddr", waitforaddr.New)
	rig.Put(r, clock.Clock, clock.ClockSeen{})
	net(r, port(nil))
	if len(rig.Calls(r, clock.Sync)) != 0 {
		t.Fatal("asked for the time without an address")
	}
	two := port([]string{"a.ntp", "b.ntp"}, "10.0.0.5/24")
	net(r, two, port([]string{"b.ntp", "c.ntp"}))
	calls := rig.Calls(r, clock.Sync)
	if len(calls) != 1 || !slices.Equal(calls[0].Req.Servers, []string{"a.ntp", "b.ntp", "c.ntp"}) {
		t.Fatalf("calls: %+v", calls)
	}
	rig.Fail(r, clock.Sync, "clock",
		agent.Fault{Code: clock.FaultNoServer, Text: "no answer", Retry: true})
	r.Step()
	if s := status(r); s.Error != "no answer" || len(rig.Calls(r, clock.Sync)) != 0 {
		t.Fatalf("after the failure: %+v", s)
	}
	r.Advance(11 * time.Second)
	rig.Done(r, clock.Sync, "clock", clock.None{})
	rig.Put(r, clock.Clock, clock.ClockSeen{Synced: true})
	r.Step()
	if s := status(r); s.Step != "done" || s.HasError() || !s.ClockSet {
		t.Errorf("after the success: %+v", s)
	}
	r.Advance(time.Hour)
	if n := len(rig.Calls(r, clock.Sync)); n != 0 {
		t.Errorf("%d more calls", n)
	}
}

func TestClockIsSetInTheFirstBootAndElseLeftAlone(t *testing.T) {
	for _, first := range []bool{true, false} {
		r := rig.New(t, "waitforaddr", waitforaddr.New)
		rig.Put(r, clock.Clock, clock.ClockSeen{RTC: true, Synced: true})
		rig.Put(r, boot.Boot, boot.BootSeen{First: first})
		net(r, port(nil, "10.0.0.5/24"))
		calls := rig.Calls(r, clock.Sync)
		if first != (len(calls) == 1) || first && calls[0].Req.Servers[0] != "pool.ntp.org" {
			t.Errorf("first boot %v: calls %+v", first, calls)
		}
	}
}
