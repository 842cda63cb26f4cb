package nim_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
)

func TestNET6_ControllerOutranksNewerOthers(t *testing.T) {
	l := newLab(t, "eth0")
	l.file(overrideFile, `{"TimePriority":"2030-01-01T00:00:00Z","Version":1,
		"Ports":[{"IfName":"eth0","IsMgmt":true,"Dhcp":4}]}`)
	l.settings()
	l.answer = refused // nothing works, so everything is kept
	l.wish(dpc("zedagent", 1, "eth0"))
	l.wish(dpc("bootstrap", 2, "eth0"))
	l.run()
	if got := l.keys(); got != "zedagent override bootstrap" {
		t.Errorf("the list is %q", got)
	}
}

// trail notes the states of the configuration in use, second by second, until it is in use no more.
func (l *lab) trail(index int) []string {
	l.t.Helper()
	var out []string
	for range 400 {
		d := l.dns()
		if d.CurrentIndex != index {
			break
		}
		if s := d.State.String(); len(out) == 0 || !strings.HasPrefix(out[len(out)-1], s+" ") {
			out = append(out, fmt.Sprintf("%s %v", s, l.Now()))
		}
		l.pass(time.Second)
	}
	return append(out, fmt.Sprintf("end %v", l.Now()))
}

func TestNET11_WaitsInOrderAndLimits(t *testing.T) {
	working := dpc("zedagent", 1, "eth0")
	pci := func(l *lab, name string, bound bool) {
		rig.Put(l.Rig, network.Assignable, network.AssignableAdapters{Initialized: true,
			IoBundleList: []network.IoBundle{{Phylabel: name, Ifname: name, IsPCIBack: bound}}})
	}
	cases := []struct {
		name     string
		duration string
		prepare  func(l *lab)
		want     []string
	}{
		{name: "items", duration: "10", prepare: func(l *lab) { l.stuck = "dhcp/eth1" },
			want: []string{"DPC_ASYNC_WAIT 0s", "DPC_IPDNS_WAIT 20s", "end 50s"}},
		{name: "adapter", prepare: func(l *lab) { pci(l, "eth1", true) },
			want: []string{"DPC_PCI_WAIT 0s", "end 1m0s"}},
		{name: "interface", prepare: func(l *lab) { rig.Delete(l.Rig, nic.Links, "eth1") },
			want: []string{"DPC_INTF_WAIT 0s", "end 1m0s"}},
		{name: "address", prepare: func(l *lab) { delete(l.lease, "eth1") },
			want: []string{"DPC_IPDNS_WAIT 0s", "end 2m30s"}},
		{name: "name server", prepare: func(l *lab) {
			a := l.lease["eth1"]
			a.DNS = nil
			l.lease["eth1"] = a
		}, want: []string{"DPC_IPDNS_WAIT 0s", "end 2m30s"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, "eth0", "eth1")
			l.settings(config.Value{Key: config.PortTestDuration,
				Value: cmp.Or(c.duration, "30")})
			l.wish(working)
			l.run()
			l.in("zedagent", network.DPCSuccess)
			c.prepare(l)
			l.wish(dpc("zedagent", 2, "eth1"))
			l.run()
			got := l.trail(0)
			if !slices.Equal(got, c.want) {
				t.Errorf("states:\n%q\nwant\n%q", got, c.want)
			}
			l.pass(30 * time.Second)
			l.in("zedagent", network.DPCSuccess)
		})
	}
	t.Run("all in one", func(t *testing.T) {
		l := newLab(t, "eth0", "eth1")
		l.settings()
		l.wish(working)
		l.run()
		pci(l, "eth1", true)
		rig.Delete(l.Rig, nic.Links, "eth1")
		delete(l.lease, "eth1")
		l.wish(dpc("zedagent", 2, "eth1"))
		l.run()
		l.in("zedagent", network.DPCPCIWait)
		l.pass(10 * time.Second)
		pci(l, "eth1", false)
		l.run()
		l.in("zedagent", network.DPCIntfWait)
		l.pass(10 * time.Second)
		rig.Put(l.Rig, nic.Links, nic.LinkSeen{IfName: "eth1", Index: 9, Physical: true, LowerUp: true})
		l.run()
		l.in("zedagent", network.DPCIPDNSWait)
		l.pass(10 * time.Second)
		rig.Put(l.Rig, nic.Addrs, addr("eth1", "10.7.7.7/24"))
		l.run()
		l.in("zedagent", network.DPCSuccess)
		if d := l.dpcl(); d.CurrentIndex != 0 || l.Now() != 30*time.Second {
			t.Errorf("current %d at %v", d.CurrentIndex, l.Now())
		}
	})
}

func TestNET12_PortsByCostInTurn(t *testing.T) {
	l := newLab(t, "eth0", "eth1", "eth2", "eth3")
	second := addr("eth1", "10.0.1.5/24")
	second.Addrs = append(second.Addrs, addr("eth1", "10.0.1.77/24").Addrs...)
	l.lease["eth1"] = second
	l.settings()
	d := dpc("zedagent", 1, "eth0", "eth1", "eth2", "eth3")
	for i, cost := range []uint8{10, 0, 0, 20} {
		d.Ports[i].Cost = cost
	}
	l.answer = func(r web.SendReq) (int, *agent.Fault) {
		if r.Via.IfName == "eth0" {
			return 200, nil
		}
		return refused(r)
	}
	l.wish(d)
	l.run()
	l.in("zedagent", network.DPCSuccess)
	first := []string{"eth1 10.0.1.5", "eth1 10.0.1.77", "eth2 10.0.2.5", "eth0 10.0.0.5"}
	if !slices.Equal(l.pings, first) {
		t.Errorf("tried %q, want %q", l.pings, first)
	}
	l.pings = nil
	l.pass(5 * minute)
	if want := []string{first[2], first[0], first[1], first[3]}; !slices.Equal(l.pings, want) {
		t.Errorf("then tried %q, want %q", l.pings, want)
	}
	ports := l.dns().Ports
	if ports[1].LastError == "" || ports[2].LastError == "" || ports[0].LastError != "" {
		t.Errorf("results of the tested: %q %q %q", ports[1].LastError, ports[2].LastError,
			ports[0].LastError)
	}
	if !ports[3].Working() {
		t.Errorf("the dry run left no mark: %+v", ports[3].TestResults)
	}
	l.carrier("eth3", false)
	l.pass(2 * time.Second)
	if e := l.dns().Ports[3].LastError; !strings.Contains(e, "no carrier") {
		t.Errorf("the dry run of a dead port says %q", e)
	}
}

func TestCarrierLossIsNoticedAfterASecond(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings()
	l.wish(dpc("zedagent", 1, "eth0", "eth1"))
	l.run()
	l.carrier("eth0", false)
	l.pass(900 * time.Millisecond)
	if e := l.dns().Ports[0].LastError; e != "" {
		t.Fatalf("not debounced: %q", e)
	}
	l.pass(200 * time.Millisecond)
	d := l.dns()
	if !d.Ports[0].HasError() || d.Ports[1].HasError() || d.State != network.DPCSuccess ||
		d.Ports[0].Up {
		t.Errorf("after the loss: %v, %q, %q", d.State, d.Ports[0].Error, d.Ports[1].Error)
	}
	l.carrier("eth0", true)
	l.pass(1100 * time.Millisecond)
	if d := l.dns(); d.Ports[0].HasError() || !d.Ports[0].Up {
		t.Errorf("after its return: %q", d.Ports[0].Error)
	}
}

func TestAddressThatComesLateIsUsedAtOnce(t *testing.T) {
	l := newLab(t, "eth0")
	lease := l.lease["eth0"]
	delete(l.lease, "eth0")
	l.settings()
	l.run()
	l.pass(151 * time.Second)
	l.in("lastresort", network.DPCFail)
	rig.Put(l.Rig, nic.Addrs, lease)
	l.pass(2 * time.Second)
	l.in("lastresort", network.DPCSuccess)
}

func TestNamelessControllerIsAnError(t *testing.T) {
	l := newLab(t, "eth0")
	l.file("/config/server", "")
	l.settings()
	l.run()
	l.in("lastresort", network.DPCFailWithIPAndDNS)
	const want = "controller hostname is not available"
	if e := l.dpcl().PortConfigList[0].LastError; !strings.Contains(e, want) {
		t.Errorf("error %q", e)
	}
	l.file("/config/server", "zedcloud.example")
	l.pass(10*minute + time.Second)
	l.in("lastresort", network.DPCSuccess)
}

func TestCalmDeviceWritesNothing(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings(config.Value{Key: config.FallbackAnyEth, Value: "enabled"})
	l.wish(dpc("zedagent", 1, "eth0", "eth1"))
	l.run()
	l.carrier("eth1", false)
	l.pass(minute)
	list := rig.Rev(l.Rig, network.DPCL, "global")
	status := rig.Rev(l.Rig, network.DNS, "global")
	pings := len(l.pings)
	l.pass(2 * time.Hour)
	if now := rig.Rev(l.Rig, network.DPCL, "global"); now != list {
		t.Errorf("the list was written %d times", now-list)
	}
	if now := rig.Rev(l.Rig, network.DNS, "global"); now != status {
		t.Errorf("the status was put %d times", now-status)
	}
	if n := len(l.pings) - pings; n < 24 || n > 40 {
		t.Errorf("%d tests in two hours", n)
	}
}
