package nim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

func TestNET1_LastResortWithoutAnyConfiguration(t *testing.T) {
	l := newLab(t, "eth0", "eth1", "wlan0")
	l.settings()
	l.run()
	l.in("lastresort", network.DPCSuccess)
	d := l.dpcl().PortConfigList[0]
	if len(d.Ports) != 2 || d.Ports[1].IfName != "eth1" || d.Ports[1].Dhcp != network.DhcpClient ||
		!d.TimePriority.Equal(time.Unix(0, 0)) || d.Ports[0].ConfigSource != network.OriginLastResort {
		t.Errorf("last resort: %+v", d)
	}
	led := rig.Get(l.Rig, node.Led.Of("nim"), "ledconfig")
	if led == nil || led.BlinkCounter != node.LedConnecting {
		t.Errorf("LED: %+v", led)
	}
}

func TestNET1_LastResortAfterAMinuteOfSilence(t *testing.T) {
	l := newLab(t, "eth0")
	l.file("/config/bootstrap-config.pb", "promised, but zedagent says nothing")
	l.run()
	l.pass(59 * time.Second)
	if n := len(l.dpcl().PortConfigList); n != 0 {
		t.Fatalf("%d configurations before the minute is over", n)
	}
	l.pass(2 * time.Second)
	l.in("lastresort", network.DPCSuccess)
}

func TestNET2_ListAfterWorkingControllerConfiguration(t *testing.T) {
	for _, c := range []struct{ fallback, want string }{
		{"disabled", "zedagent"}, {"enabled", "zedagent lastresort"},
	} {
		l := newLab(t, "eth0")
		l.settings(config.Value{Key: config.FallbackAnyEth, Value: c.fallback})
		l.run()
		l.in("lastresort", network.DPCSuccess)
		l.wish(dpc("zedagent", 1, "eth0"))
		l.run()
		l.in("zedagent", network.DPCSuccess)
		if got := l.keys(); got != c.want || l.dpcl().CurrentIndex != 0 {
			t.Errorf("with fallback %s the list is %q, current %d", c.fallback, got,
				l.dpcl().CurrentIndex)
		}
	}
}

func TestNET4_ListSurvivesRebootAndIsVerifiedAgain(t *testing.T) {
	l := newLab(t, "eth0")
	l.settings(config.Value{Key: config.FallbackAnyEth, Value: "enabled"})
	l.run()
	l.wish(dpc("zedagent", 1, "eth0"))
	l.run()
	before := len(l.pings)
	l.Reboot()
	l.file("/persist/checkpoint/lastconfig", "saved")
	l.boot("eth0")
	l.settings(config.Value{Key: config.FallbackAnyEth, Value: "enabled"})
	l.Step()
	if d := l.dpcl(); d.CurrentIndex != -1 || l.keys() != "zedagent lastresort" {
		t.Fatalf("after the boot: current %d of %q", d.CurrentIndex, l.keys())
	}
	if d := l.dns(); d.State != network.DPCAsyncWait || !d.Testing {
		t.Fatalf("after the boot: %v, testing %v", d.State, d.Testing)
	}
	l.run()
	l.in("zedagent", network.DPCSuccess)
	if l.dpcl().CurrentIndex != 0 || len(l.pings) != before+1 {
		t.Errorf("current %d after %d pings", l.dpcl().CurrentIndex, len(l.pings)-before)
	}
}

func TestNET5_ManualConfigurationIsFirstAndKept(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings()
	l.run()
	l.wish(dpc("zedagent", 50, "eth0"))
	l.run()
	manual := network.ManualDPC
	l.answer = func(r web.SendReq) (int, *agent.Fault) {
		if r.Via.IfName == "eth1" {
			return refused(r)
		}
		return 200, nil
	}
	rig.Put(l.Rig, manual, dpc("manual", 1, "eth1"))
	l.run()
	l.in("manual", network.DPCFailWithIPAndDNS)
	l.pass(30 * minute)
	l.in("manual", network.DPCFailWithIPAndDNS)
	if l.keys() != "manual zedagent" {
		t.Errorf("the list is %q", l.keys())
	}
	rig.Put(l.Rig, manual, dpc("manual", 2, "eth0"))
	l.run()
	l.in("manual", network.DPCSuccess)
	if l.keys() != "manual zedagent" || l.dpcl().PortConfigList[0].Ports[0].IfName != "eth0" {
		t.Errorf("the newer one did not replace the older: %q", l.keys())
	}
	rig.Complete(l.Rig, manual)
	rig.Delete(l.Rig, manual, "manual")
	l.run()
	l.in("zedagent", network.DPCSuccess)
	if l.keys() != "zedagent" {
		t.Errorf("after it was withdrawn the list is %q", l.keys())
	}
}

func TestNET8_BrokenConfigurationFallsBackAndReturns(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	delete(l.lease, "eth1")
	l.settings()
	l.run()
	l.wish(dpc("zedagent", 1, "eth0"))
	l.run()
	l.wish(dpc("zedagent", 2, "eth1"))
	l.run()
	l.in("zedagent", network.DPCIPDNSWait)
	l.pass(149 * time.Second)
	l.in("zedagent", network.DPCIPDNSWait)
	l.pass(2 * time.Second)
	l.in("zedagent", network.DPCSuccess)
	d := l.dpcl()
	if d.CurrentIndex != 1 || l.keys() != "zedagent zedagent" || l.dns().CurrentIndex != 1 {
		t.Fatalf("after the fall-back: current %d of %q", d.CurrentIndex, l.keys())
	}
	if first := d.PortConfigList[0]; !strings.Contains(first.LastError, "no usable address") ||
		first.State != network.DPCFail || d.PortConfigList[1].LastError != "" {
		t.Errorf("broken one: %v %q, working one: %q", first.State, first.LastError,
			d.PortConfigList[1].LastError)
	}
	l.lease["eth1"] = addr("eth1", "10.9.9.9/24")
	l.pass(10 * minute)
	l.in("zedagent", network.DPCSuccess)
	d = l.dpcl()
	if d.CurrentIndex != 0 || len(d.PortConfigList) != 1 || d.PortConfigList[0].LastError != "" {
		t.Errorf("after it was mended: current %d of %q", d.CurrentIndex, l.keys())
	}
}

func TestNET7_FailedConfigurationIsLeftAlone(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings()
	l.run()
	l.wish(dpc("zedagent", 1, "eth0"))
	l.run()
	tries := 0
	l.answer = func(r web.SendReq) (int, *agent.Fault) {
		if r.Via.IfName == "eth1" {
			tries++
			return refused(r)
		}
		return 200, nil
	}
	l.wish(dpc("zedagent", 2, "eth1"))
	l.run()
	if l.dpcl().CurrentIndex != 1 || tries != 1 {
		t.Fatalf("no fall-back: current %d after %d tries", l.dpcl().CurrentIndex, tries)
	}
	// Something else makes the selection start anew: the failed one is passed over.
	l.wish(dpc("bootstrap", 1, "eth0"))
	l.run()
	l.pass(4 * minute)
	if tries != 1 {
		t.Errorf("tried again within five minutes")
	}
	// Another content is another configuration.
	changed := dpc("zedagent", 2, "eth1")
	changed.Ports[0].Cost = 7
	l.wish(changed)
	l.run()
	if tries != 2 {
		t.Errorf("%d tries after its content changed, want 2", tries)
	}
	// A wall clock that ran ahead when it failed must not keep it from being tried.
	l.SetWall(l.Wall().Add(-24 * time.Hour))
	again := dpc("zedagent", 1, "eth0")
	again.Ports[0].Alias = "x"
	l.wish(again)
	l.run()
	if tries != 3 {
		t.Errorf("%d tries after the clock jumped back, want 3", tries)
	}
}

func TestNET7_SelectionPassesOverWhatJustFailed(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings()
	rig.Complete(l.Rig, network.ManualDPC)
	l.run()
	l.wish(dpc("zedagent", 1, "eth0"))
	l.run()
	tries := 0
	l.answer = func(r web.SendReq) (int, *agent.Fault) {
		if r.Via.IfName == "eth1" {
			tries++
			return refused(r)
		}
		return 200, nil
	}
	l.wish(dpc("zedagent", 2, "eth1"))
	l.run()
	anew := func() { // an operator's configuration comes and goes
		rig.Put(l.Rig, network.ManualDPC, dpc("manual", 3, "eth0"))
		l.run()
		rig.Delete(l.Rig, network.ManualDPC, "manual")
		l.run()
	}
	l.pass(4 * minute)
	if anew(); tries != 1 {
		t.Errorf("tried %d times within five minutes", tries)
	}
	l.pass(2 * minute)
	if anew(); tries < 2 {
		t.Error("not tried again after five minutes")
	}
}

func TestNET9_SecondFailureRestartsSelection(t *testing.T) {
	l := newLab(t, "eth0")
	l.settings()
	l.run()
	l.wish(dpc("zedagent", 1, "eth0"))
	l.run()
	before, list := l.dns(), l.dpcl()
	l.answer = refused
	l.pass(5*minute + time.Second)
	if !network.DNS.Equal(ptr(l.dns()), &before) || !network.DPCL.Equal(ptr(l.dpcl()), &list) {
		t.Fatalf("the first failure shows:\n%s", l.Dump())
	}
	pings := len(l.pings)
	l.pass(5 * minute)
	if len(l.pings) <= pings {
		t.Fatal("no second test")
	}
	l.in("zedagent", network.DPCFailWithIPAndDNS)
	l.answer = func(web.SendReq) (int, *agent.Fault) { return 200, nil }
	l.pass(5 * minute)
	l.in("zedagent", network.DPCSuccess)
}

// What changes while a test runs is tested as soon as what changes between tests.
func TestChangeUnderATestLeadsToAnother(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings()
	l.run()
	l.wish(dpc("zedagent", 1, "eth0", "eth1"))
	l.pass(minute)
	pulled := time.Duration(0)
	l.answer = func(web.SendReq) (int, *agent.Fault) {
		if pulled == 0 {
			pulled = l.Now()
			l.carrier("eth1", false)
		}
		return 200, nil
	}
	for pulled == 0 {
		l.pass(time.Second)
	}
	pings := len(l.pings)
	l.pass(3 * time.Second)
	if len(l.pings) == pings {
		t.Errorf("a cable was pulled at %v, under a test; there was no test until %v", pulled, l.Now())
	}
}

func ptr[T any](v T) *T { return &v }

func TestNET10_ControllerAtFaultIsNoReasonToFallBack(t *testing.T) {
	for name, answer := range map[string]func(web.SendReq) (int, *agent.Fault){
		"5xx": func(web.SendReq) (int, *agent.Fault) { return 503, nil },
		"refused": func(web.SendReq) (int, *agent.Fault) {
			return 0, &agent.Fault{Code: web.FaultConnRefused, Text: "connection refused"}
		},
		"expired certificate": func(web.SendReq) (int, *agent.Fault) {
			return 0, &agent.Fault{Code: web.FaultCertInvalid, Text: "certificate has expired"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "eth0", "eth1")
			l.settings(config.Value{Key: config.FallbackAnyEth, Value: "enabled"})
			l.run()
			l.answer = answer
			l.wish(dpc("zedagent", 1, "eth0"))
			l.run()
			l.in("zedagent", network.DPCRemoteWait)
			l.pass(20 * minute)
			l.in("zedagent", network.DPCRemoteWait)
			d := l.dpcl().PortConfigList[0]
			if d.LastWarning == "" || d.LastError != "" || !d.Working() || l.dpcl().CurrentIndex != 0 {
				t.Errorf("results: %+v", d.TestResults)
			}
			l.answer = func(web.SendReq) (int, *agent.Fault) { return 200, nil }
			l.pass(6 * minute)
			l.in("zedagent", network.DPCSuccess)
		})
	}
}

func TestNET13_PortOfAnApplicationFailsAtOnce(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings()
	l.run()
	l.wish(dpc("zedagent", 1, "eth0"))
	l.run()
	const app = "0d4f3c6e-1111-4222-8333-444455556666"
	rig.Put(l.Rig, network.Assignable, network.AssignableAdapters{Initialized: true,
		IoBundleList: []network.IoBundle{{Type: network.IoNetEth, Phylabel: "eth1", Ifname: "eth1",
			IsPCIBack: true, UsedByUUID: app}}})
	rig.Delete(l.Rig, nic.Links, "eth1")
	before := l.Now()
	l.wish(dpc("zedagent", 2, "eth0", "eth1"))
	l.run()
	d := l.dpcl()
	if l.Now() != before || d.CurrentIndex != 1 {
		t.Fatalf("not at once: current %d", d.CurrentIndex)
	}
	const want = "port eth1 in PCIBack is used by " + app
	if d.PortConfigList[0].LastError != want || d.PortConfigList[0].State != network.DPCFail {
		t.Errorf("error %q, state %v", d.PortConfigList[0].LastError, d.PortConfigList[0].State)
	}
	if got := d.PortConfigList[0].Ports[1].LastError; got != want {
		t.Errorf("error of the port: %q", got)
	}
}

func TestAPI54_UnusableConfigurationKeepsConnectivity(t *testing.T) {
	l := newLab(t, "eth0")
	l.settings()
	l.wish(dpc("zedagent", 1, "eth0"))
	l.run()
	bad := dpc("zedagent", 2, "eth0")
	bad.Ports[0].InvalidConfig, bad.Ports[0].LastError = true, "unknown network 77"
	l.wish(bad)
	l.run()
	l.in("zedagent", network.DPCSuccess)
	d := l.dpcl()
	if d.CurrentIndex != 1 || d.PortConfigList[0].LastError != "unknown network 77" ||
		d.PortConfigList[0].State != network.DPCFail {
		t.Errorf("current %d, first %v %q", d.CurrentIndex, d.PortConfigList[0].State,
			d.PortConfigList[0].LastError)
	}
	if a := l.dns().Ports[0].Addrs(); len(a) != 1 {
		t.Errorf("addresses: %v", a)
	}
	l.pass(15 * minute)
	l.in("zedagent", network.DPCSuccess)
}
