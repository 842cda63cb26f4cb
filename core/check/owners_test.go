package check

import (
	"net/netip"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/network"
)

func vif(name, br, mac, ip string) bridge.ItemSeen {
	return bridge.ItemSeen{Item: "vif/" + name, Spec: bridge.Spec{Vif: &bridge.VifSpec{
		Bridge: br, MAC: mac, IP: netip.MustParseAddr(ip)}}}
}

func TestOneAddress(t *testing.T) {
	calm := func(t *testing.T) *tape {
		tp := start(t, oneAddress())
		put(tp, bridge.Items, bridge.ItemSeen{Item: "bridge/bn1", Spec: bridge.Spec{
			Bridge: &bridge.BridgeSpec{Addr: netip.MustParsePrefix("10.1.0.1/24")}}})
		put(tp, bridge.Items, vif("a", "bn1", "02:01", "10.1.0.2"))
		return tp
	}
	tp := calm(t)
	put(tp, bridge.Items, vif("b", "bn1", "02:02", "10.1.0.3"))
	put(tp, bridge.Items, vif("c", "bn2", "02:01", "10.1.0.2")) // of another bridge
	tp.turn(func() {                                            // moved in one turn
		put(tp, bridge.Items, vif("a", "bn1", "02:01", "10.1.0.3"))
		put(tp, bridge.Items, vif("b", "bn1", "02:02", "10.1.0.2"))
	})
	tp.keeps()
	for name, row := range map[string]bridge.ItemSeen{
		"address": vif("b", "bn1", "02:02", "10.1.0.2"),
		"mac":     vif("b", "bn1", "02:01", "10.1.0.3"),
		"bridge":  vif("b", "bn1", "02:02", "10.1.0.1"),
	} {
		t.Run(name, func(t *testing.T) {
			tp := calm(t)
			put(tp, bridge.Items, row)
			tp.breaks()
		})
	}
}

func TestOneNumber(t *testing.T) {
	calm := func(t *testing.T) *tape {
		tp := start(t, oneNumber())
		put(tp, network.Numbers, network.UuidToNum{UUID: "a", NumType: "appNum", Number: 1})
		put(tp, network.AppInterfaceNumbers,
			network.AppInterfaceToNum{NetInstID: "n", AppID: "a", Number: 1})
		put(tp, network.InstanceStatus, instance("n", 1))
		return tp
	}
	tp := calm(t)
	put(tp, network.Numbers, network.UuidToNum{UUID: "a", NumType: "appNum", Number: 1, InUse: true})
	put(tp, network.Numbers, network.UuidToNum{UUID: "n", NumType: "bridgeNum", Number: 1})
	put(tp, network.AppInterfaceNumbers,
		network.AppInterfaceToNum{NetInstID: "m", AppID: "a", Number: 1})
	put(tp, network.InstanceStatus, instance("m", 2))
	tp.keeps()
	for name, act := range map[string]func(tp *tape){
		"application": func(tp *tape) {
			put(tp, network.Numbers, network.UuidToNum{UUID: "b", NumType: "appNum", Number: 1})
		},
		"moved": func(tp *tape) {
			put(tp, network.Numbers, network.UuidToNum{UUID: "a", NumType: "appNum", Number: 2})
		},
		"interface": func(tp *tape) {
			put(tp, network.AppInterfaceNumbers,
				network.AppInterfaceToNum{NetInstID: "n", AppID: "b", Number: 1})
		},
		"interface moved": func(tp *tape) {
			put(tp, network.AppInterfaceNumbers,
				network.AppInterfaceToNum{NetInstID: "n", AppID: "a", Number: 2})
		},
		"bridge": func(tp *tape) { put(tp, network.InstanceStatus, instance("m", 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			tp := calm(t)
			act(tp)
			tp.breaks()
		})
	}
}

func instance(uuid string, bridge int) network.NetworkInstanceStatus {
	return network.NetworkInstanceStatus{BridgeNum: bridge, Activated: true,
		NetworkInstanceConfig: network.NetworkInstanceConfig{UUIDandVersion: id(uuid)}}
}

func TestOneAdapter(t *testing.T) {
	with := func(app, name string, s hyper.State, a hyper.Assigned) hyper.DomainSeen {
		return hyper.DomainSeen{State: s, Spec: hyper.Spec{Name: name, AppID: app,
			Adapters: []hyper.Assigned{a}}}
	}
	calm := func(t *testing.T) *tape {
		tp := start(t, oneAdapter())
		put(tp, hyper.Domains, with("a", "a.1", hyper.Running,
			hyper.Assigned{Phylabel: "nvme0", PciLong: "0000:01:00.0"}))
		return tp
	}
	tp := calm(t)
	put(tp, hyper.Domains, with("b", "b.1", hyper.Halted, hyper.Assigned{Phylabel: "nvme0"}))
	put(tp, hyper.Domains, with("c", "c.1", hyper.Running,
		hyper.Assigned{Phylabel: "nvme1", PciLong: "0000:02:00.0"}))
	put(tp, network.Assignable, network.AssignableAdapters{IoBundleList: []network.IoBundle{
		{Phylabel: "nvme0", UsedByUUID: "a", PciLong: "0000:01:00.0"}, {Phylabel: "eth0", IsPort: true}}})
	tp.keeps()

	for name, act := range map[string]func(tp *tape){
		"label": func(tp *tape) {
			put(tp, hyper.Domains, with("b", "b.1", hyper.Running, hyper.Assigned{Phylabel: "nvme0"}))
		},
		"device": func(tp *tape) {
			put(tp, hyper.Domains, with("b", "b.1", hyper.Running,
				hyper.Assigned{Phylabel: "other", PciLong: "0000:01:00.0"}))
		},
		"port of the host": func(tp *tape) {
			put(tp, network.Assignable, network.AssignableAdapters{IoBundleList: []network.IoBundle{
				{Phylabel: "eth0", UsedByUUID: "a", IsPort: true}}})
		},
		"function": func(tp *tape) {
			put(tp, network.Assignable, network.AssignableAdapters{IoBundleList: []network.IoBundle{
				{Phylabel: "x", UsedByUUID: "a", PciLong: "0000:03:00.0"},
				{Phylabel: "y", UsedByUUID: "b", PciLong: "0000:03:00.0"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			tp := calm(t)
			act(tp)
			tp.breaks()
		})
	}
}

func TestOneWriter(t *testing.T) {
	second := func(d hyper.Disk) hyper.DomainSeen {
		return hyper.DomainSeen{State: hyper.Running, Spec: hyper.Spec{Name: "b.1", AppID: "b",
			Disks: []hyper.Disk{d}}}
	}
	calm := func(t *testing.T) *tape {
		tp := start(t, oneWriter())
		put(tp, hyper.Domains, guest("a.1", hyper.Running))
		return tp
	}
	tp := calm(t)
	put(tp, hyper.Domains, second(hyper.Disk{VolumeKey: "v#0", ReadOnly: true}))
	tp.keeps()
	tp = calm(t)
	put(tp, hyper.Domains, second(hyper.Disk{VolumeKey: "v#0"}))
	tp.breaks()
}
