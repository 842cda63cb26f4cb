package domainmgr

import (
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// eth is a network adapter on PCI, in a group.
func eth(label, group, pci string) network.PhysicalIOAdapter {
	return network.PhysicalIOAdapter{Ptype: network.IoNetEth, Phylabel: label, Logicallabel: label,
		Assigngrp: group, Phyaddr: network.PhysicalAddress{Ifname: label, PciLong: pci}}
}

func com(label, group string) network.PhysicalIOAdapter {
	return network.PhysicalIOAdapter{Ptype: network.IoCom, Phylabel: label, Logicallabel: label,
		Assigngrp: group, Phyaddr: network.PhysicalAddress{Serial: "/dev/" + label}}
}

func with(c domain.DomainConfig, adapters ...string) domain.DomainConfig {
	for _, a := range adapters {
		c.IoAdapterList = append(c.IoAdapterList, app.IoAdapter{Type: network.IoNetEth, Name: a})
	}
	return c
}

func (b *bench) adapter(label string) network.IoBundle {
	b.t.Helper()
	aa := rig.Get(b.Rig, network.Assignable, "global")
	if aa == nil || !aa.Initialized {
		b.t.Fatalf("no adapters\n%s", b.Dump())
	}
	for _, a := range aa.IoBundleList {
		if a.Phylabel == label {
			return a
		}
	}
	b.t.Fatalf("no adapter %s in %+v", label, aa.IoBundleList)
	return network.IoBundle{}
}

func TestAPP44_AdaptersGoToOneApplicationAtATime(t *testing.T) {
	for _, crash := range []bool{false, true} {
		b := newBench(t)
		b.crash = crash
		b.model(eth("eth1", "net", "0000:04:00.0"), com("com1", "net"), com("com2", "serial"))
		rig.Put(b.Rig, nic.Links, nic.LinkSeen{IfName: "eth1", MAC: "00:11:22:33:44:55"})
		b.wish(with(guest(app1), "eth1"))
		b.run()
		b.is(app1, entity.RUNNING)
		d := b.domain(app1)
		if want := []hyper.Assigned{{Phylabel: "com1", Serial: "/dev/com1"},
			{Phylabel: "eth1", PciLong: "0000:04:00.0"}}; !slices.Equal(d.Adapters, want) {
			t.Fatalf("the whole group is to go: %+v", d.Adapters)
		}
		if a := b.adapter("eth1"); a.UsedByUUID != app1 || !a.IsPCIBack ||
			a.MacAddr != "00:11:22:33:44:55" || b.adapter("com2").UsedByUUID != "" {
			t.Fatalf("adapter %+v", a)
		}
		b.wish(with(guest(app2), "com1"))
		b.run()
		st := b.is(app2, entity.INSTALLED)
		if !st.AdaptersFailed || st.PendingAdd ||
			st.ErrorRetryCondition != "Will wait for adapter to release from app "+app1 {
			t.Fatalf("status %+v", st)
		}
		b.wish(idle(with(guest(app1), "eth1")))
		b.Step()
		if b.adapter("eth1").UsedByUUID != app1 {
			t.Fatal("released before the guest is gone")
		}
		b.run()
		if st := b.is(app2, entity.RUNNING); st.AdaptersFailed || st.Error != "" {
			t.Fatalf("status %+v", st)
		}
		b.unwish(app2)
		b.run()
		if a := b.adapter("eth1"); a.UsedByUUID != "" || a.IsPCIBack {
			t.Fatalf("not given back: %+v", a)
		}
	}
}

func TestAPP44_PortsOfTheHostAreRefused(t *testing.T) {
	b := newBench(t)
	b.model(eth("eth0", "net", "0000:04:00.0"), com("com1", "net"))
	b.ports("eth0")
	b.wish(with(guest(app1), "com1"))
	b.run()
	st := b.is(app1, entity.INSTALLED)
	if !st.AdaptersFailed || !strings.Contains(st.Error, "port that the host uses") {
		t.Fatalf("status %+v", st)
	}
	if a := b.adapter("com1"); !a.IsPort || !a.KeepInHost {
		t.Fatalf("a member of a port's group %+v", a)
	}
	b.ports()
	b.run()
	b.is(app1, entity.RUNNING)
	b.ports("eth0") // the host may not take what a guest has
	b.run()
	if b.is(app1, entity.RUNNING); b.adapter("eth0").UsedByUUID != app1 {
		t.Fatal("taken from a guest that runs")
	}
}

func (b *bench) ports(labels ...string) {
	dns := network.DeviceNetworkStatus{DPCKey: "zedagent"}
	for _, l := range labels {
		dns.Ports = append(dns.Ports, network.NetworkPortStatus{Phylabel: l, IfName: l, Logicallabel: l})
	}
	rig.Put(b.Rig, network.DNS, dns)
}

func TestAPP45_AdaptersThatCannotBeHad(t *testing.T) {
	b := newBench(t)
	b.machine(false)
	b.model(eth("eth1", "net", "0000:04:00.0"), com("com1", ""), com("com2", "a"), com("com3", "b"))
	own := com("com4", "c")
	own.Parentassigngrp = "c"
	b.model(eth("eth1", "net", "0000:04:00.0"), com("com1", ""), com("com2", "a"), own)
	for name, want := range map[string]string{
		"gpu":  "unknown adapter gpu",
		"com1": "adapter com1 is not assignable",
		"eth1": "adapter eth1 cannot be passed through: no I/O virtualization",
		"com4": "adapter com4 has an error: assignment group c is its own parent",
	} {
		b.wish(with(guest(app1), "com2", name))
		b.run()
		st := b.is(app1, entity.INSTALLED)
		if !st.AdaptersFailed || !strings.HasPrefix(st.Error, want) || len(b.made) != 0 {
			t.Errorf("%s: %+v", name, st)
		}
		if b.adapter("com2").UsedByUUID != "" {
			t.Errorf("%s: half of what is wanted was taken", name)
		}
	}
	b.wish(with(guest(app1), "com2")) // no PCI, no need for I/O virtualization
	b.run()
	b.is(app1, entity.RUNNING)
}

func TestAPP45_BindingThatTheHypervisorRefuses(t *testing.T) {
	b := newBench(t)
	b.model(eth("eth1", "net", "0000:04:00.0"))
	b.fail["bind"] = agent.Fault{Code: hyper.FaultNoIOMMU, Text: "no I/O virtualization"}
	b.wish(with(guest(app1), "eth1"))
	b.run()
	st := b.is(app1, entity.INSTALLED)
	if !st.AdaptersFailed || st.Error != "bind adapter eth1: no I/O virtualization" {
		t.Fatalf("status %+v", st)
	}
	b.wish(guest(app1))
	b.run()
	if b.is(app1, entity.RUNNING); b.adapter("eth1").UsedByUUID != "" {
		t.Fatal("not released")
	}
}

// What the model has wrong stands with the adapters it is about, and keeps its time while it lasts.
func TestModelErrors(t *testing.T) {
	parent := func(a network.PhysicalIOAdapter, group string) network.PhysicalIOAdapter {
		a.Parentassigngrp = group
		return a
	}
	usb := com("usb1", "u")
	usb.Ptype, usb.Phyaddr = network.IoUSBDevice, network.PhysicalAddress{UsbAddr: "1:2"}
	twin := usb
	twin.Phylabel = "usb2"
	type list = []network.PhysicalIOAdapter
	for _, tt := range []struct {
		model list
		label string
		want  string
		warns bool
	}{
		{list{parent(com("a", "x"), "x")}, "a", "its own parent", false},
		{list{parent(com("a", "x"), "y")}, "a", "parent assignment group y does not exist", false},
		{list{parent(com("a", ""), "y"), com("b", "y")}, "a", "no assignment group", false},
		{list{parent(com("a", "x"), "y"), parent(com("b", "y"), "x")}, "b", "cycle of parent", false},
		{list{parent(com("a", "x"), "y"), com("b", "x"), com("c", "y")}, "b", "different parents", false},
		{list{usb, twin}, "usb2", "adapters usb1 and usb2 collide", false},
		{list{eth("a", "x", "0000:04:00.0"), eth("b", "y", "0000:04:00.1")}, "a",
			"different assignment groups", false},
		{list{eth("a", "x", "0000:04:00.0"), eth("b", "", "0000:04:00.1")}, "b",
			"goes with assignment group x", true},
	} {
		b := newBench(t)
		b.model(tt.model...)
		b.run()
		a := b.adapter(tt.label)
		if !strings.Contains(a.Error, tt.want) ||
			(a.ErrorSeverity == entity.SeverityWarning) != tt.warns {
			t.Errorf("%q: %+v", tt.want, a.ErrorDescription)
		}
		b.Advance(1e9)
		b.ports("other")
		b.run()
		if again := b.adapter(tt.label); !again.ErrorTime.Equal(a.ErrorTime) {
			t.Errorf("%q: the time moved", tt.want)
		}
		b.model(com("a", "x"), com("b", "y"), com("usb2", "z"))
		b.run()
		if e := b.adapter(tt.label).Error; e != "" {
			t.Errorf("%q stays when it is mended: %q", tt.want, e)
		}
	}
}

// A function of the same PCI controller goes along with what an application asks for.
func TestGroupIsWidenedByPCIController(t *testing.T) {
	b := newBench(t)
	b.model(eth("eth1", "net", "0000:04:00.0"), eth("eth2", "", "0000:04:00.1"))
	b.wish(with(guest(app1), "net"))
	b.run()
	b.is(app1, entity.RUNNING)
	if len(b.domain(app1).Adapters) != 2 || b.adapter("eth2").UsedByUUID != app1 ||
		!b.adapter("eth2").IsPCIBack {
		t.Fatalf("adapters %+v", b.domain(app1).Adapters)
	}
}

func TestWhatIsKeptInTheHost(t *testing.T) {
	b := newBench(t)
	kind := func(label string, k network.IoType) network.PhysicalIOAdapter {
		a := com(label, label)
		a.Ptype = k
		return a
	}
	b.model(kind("wifi", network.IoNetWLAN), kind("usb", network.IoUSBController),
		kind("screen", network.IoHDMI), kind("disk", network.IoNVMEStorage))
	b.run()
	keeps := func(labels ...string) {
		t.Helper()
		for _, l := range []string{"wifi", "usb", "screen", "disk"} {
			if b.adapter(l).KeepInHost != slices.Contains(labels, l) {
				t.Fatalf("%s: %+v, want %v", l, b.adapter(l), labels)
			}
		}
	}
	keeps("wifi")
	rig.Put(b.Rig, config.Items, config.ConfigItemValueMap{}) // before the first configuration
	b.run()
	keeps("wifi", "usb", "screen")
}

// The agents restart while the guest goes on: its adapters stay its own.
func TestAPP44_AdaptersOfARunningGuestAfterARestart(t *testing.T) {
	b := newBench(t)
	b.model(eth("eth1", "net", "0000:04:00.0"))
	b.wish(with(guest(app1), "eth1"))
	b.run()
	runs, bound := *b.domain(app1), hyper.AdapterSeen{PciLong: "0000:04:00.0", Bound: true}
	b.Reboot()
	b.show(runs)
	rig.Put(b.Rig, hyper.Adapters, bound)
	rig.Complete(b.Rig, hyper.Domains)
	b.machine(true)
	rig.Put(b.Rig, app.Configs, app.AppInstanceConfig{
		UUIDandVersion: entity.UUIDandVersion{UUID: app1}}) // zedmanager has not wished it yet
	b.boot()
	b.model(eth("eth1", "net", "0000:04:00.0"))
	b.wish(with(guest(app2), "eth1"))
	if made := b.run(); slices.ContainsFunc(made, func(s string) bool {
		return strings.HasPrefix(s, "bind")
	}) {
		t.Fatalf("did %v", made)
	}
	if a := b.adapter("eth1"); a.UsedByUUID != app1 || !a.IsPCIBack {
		t.Fatalf("adapter %+v", a)
	}
}
