package check

import (
	"net/netip"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/network"
)

// oneAddress: what is applied, not what is wished, is what packets meet.
func oneAddress() Rule {
	return Rule{Name: "one-address", Covers: []string{"NET-24", "NET-25"},
		Says: "On one bridge no two interfaces of guests have the same address or the same MAC, as " +
			"applied, and none has the bridge's own.",
		New: func(e *Ear) {
			moved := false
			e.OnBoot(func(Boot) { moved = false })
			OnRow(e, bridge.Items, func(_ string, _, now *bridge.ItemSeen) {
				moved = moved || now != nil && (now.Spec.Vif != nil || now.Spec.Bridge != nil)
			})
			e.OnTurn(func() {
				if moved {
					moved = false
					judgeAddresses(e)
				}
			})
		}}
}

// judgeAddresses looks at all interfaces that are applied.
func judgeAddresses(e *Ear) {
	owners := map[string]string{}
	for item, row := range Rows(e, bridge.Items) {
		if b := row.Spec.Bridge; b != nil && b.Addr.IsValid() {
			owners[item[len("bridge/"):]+" "+b.Addr.Addr().String()] = item
		}
	}
	judged := false
	take := func(item, br, what string) {
		if other := owners[br+" "+what]; other != "" {
			e.Break(bridge.Items.String(), item, "it has %s, which %s has as well", what, other)
		}
		owners[br+" "+what] = item
	}
	for item, row := range Rows(e, bridge.Items) {
		v := row.Spec.Vif
		if v == nil {
			continue
		}
		judged = true
		if v.MAC != "" {
			take(item, v.Bridge, v.MAC)
		}
		if v.IP.IsValid() && v.IP != netip.IPv4Unspecified() {
			take(item, v.Bridge, v.IP.String())
		}
	}
	if judged {
		e.Judged()
	}
}

// oneNumber: numbers decide the names of bridges and interfaces, and addresses.
func oneNumber() Rule {
	return Rule{Name: "one-number", Covers: []string{"NET-24"},
		Says: "No two objects of a kind have one number, no two network instances one bridge, and what " +
			"has a number keeps it.",
		New: func(e *Ear) {
			OnRow(e, network.Numbers, func(key string, was, now *network.UuidToNum) {
				if now == nil {
					return
				}
				e.Judged()
				if was != nil && was.Number != now.Number {
					e.Break(network.Numbers.String(), key, "number %d became %d", was.Number, now.Number)
				}
				other := holder(e, network.Numbers, key, func(o *network.UuidToNum) bool {
					return o.NumType == now.NumType && o.Number == now.Number
				})
				if other != "" {
					e.Break(network.Numbers.String(), key, "%s has number %d as well", other, now.Number)
				}
			})
			OnRow(e, network.AppInterfaceNumbers, func(key string, was, now *network.AppInterfaceToNum) {
				if now == nil {
					return
				}
				e.Judged()
				if was != nil && was.Number != now.Number {
					e.Break(network.AppInterfaceNumbers.String(), key, "number %d became %d", was.Number,
						now.Number)
				}
				other := holder(e, network.AppInterfaceNumbers, key,
					func(o *network.AppInterfaceToNum) bool {
						return o.NetInstID == now.NetInstID && o.Number == now.Number
					})
				if other != "" {
					e.Break(network.AppInterfaceNumbers.String(), key, "%s has number %d as well", other,
						now.Number)
				}
			})
			OnRow(e, network.InstanceStatus, func(key string, was, now *network.NetworkInstanceStatus) {
				if now == nil || now.BridgeNum == 0 || was != nil && was.BridgeNum == now.BridgeNum {
					return
				}
				e.Judged()
				other := holder(e, network.InstanceStatus, key,
					func(o *network.NetworkInstanceStatus) bool { return o.BridgeNum == now.BridgeNum })
				if other != "" {
					e.Break(network.InstanceStatus.String(), key, "%s has bridge %d as well", other,
						now.BridgeNum)
				}
			})
		}}
}

// holder is the key of another row of which has holds, empty if there is none.
func holder[V bus.Row](e *Ear, t bus.Topic[V], key string, has func(*V) bool) string {
	for k, row := range Rows(e, t) {
		if k != key && has(row) {
			return k
		}
	}
	return ""
}

// oneAdapter: an adapter that two guests drive, or a guest and the host, is broken for both.
func oneAdapter() Rule {
	return Rule{Name: "one-adapter", Covers: []string{"APP-44", "NET-13"},
		Says: "No adapter, PCI device or serial port is given to two guests, nor to a guest while it " +
			"is a port of the host.",
		New: func(e *Ear) {
			OnRow(e, hyper.Domains, func(key string, was, now *hyper.DomainSeen) {
				if !lives(now) || lives(was) {
					return
				}
				for i := range now.Adapters {
					e.Judged()
					other := holder(e, hyper.Domains, key, func(o *hyper.DomainSeen) bool {
						return lives(o) && drives(o, &now.Adapters[i])
					})
					if other != "" {
						e.Break(hyper.Domains.String(), key, "it has adapter %s, and %s has it as well",
							now.Adapters[i].Phylabel, other)
					}
				}
			})
			OnRow(e, network.Assignable, func(_ string, _, now *network.AssignableAdapters) {
				if now != nil {
					judgeBundles(e, now)
				}
			})
		}}
}

// drives reports whether a guest has an adapter.
func drives(d *hyper.DomainSeen, a *hyper.Assigned) bool {
	for i := range d.Adapters {
		b := &d.Adapters[i]
		if b.Phylabel == a.Phylabel || a.PciLong != "" && b.PciLong == a.PciLong ||
			a.Serial != "" && b.Serial == a.Serial || a.UsbAddr != "" && b.UsbAddr == a.UsbAddr {
			return true
		}
	}
	return false
}

// judgeBundles looks at who has which adapter of the device.
func judgeBundles(e *Ear, a *network.AssignableAdapters) {
	by := map[string]string{}
	if len(a.IoBundleList) > 0 {
		e.Judged()
	}
	for i := range a.IoBundleList {
		b := &a.IoBundleList[i]
		if b.UsedByUUID == "" {
			continue
		}
		if b.IsPort {
			e.Break(network.Assignable.String(), b.Phylabel,
				"application %s has it while it is a port of the host", b.UsedByUUID)
		}
		if b.PciLong == "" {
			continue
		}
		if other := by[b.PciLong]; other != "" && other != b.UsedByUUID {
			e.Break(network.Assignable.String(), b.Phylabel, "applications %s and %s have %s", other,
				b.UsedByUUID, b.PciLong)
		}
		by[b.PciLong] = b.UsedByUUID
	}
}

// oneWriter: two guests that write one file system destroy it.
func oneWriter() Rule {
	return Rule{Name: "one-writer", Covers: []string{"APP-25"},
		Says: "No volume that can be written, but for a container's, is a disk of two guests that run.",
		New: func(e *Ear) {
			OnRow(e, hyper.Domains, func(key string, was, now *hyper.DomainSeen) {
				if !lives(now) || lives(was) {
					return
				}
				for i := range now.Disks {
					disk := &now.Disks[i]
					if disk.ReadOnly || disk.VolumeKey == "" || disk.Format == "container" {
						continue
					}
					e.Judged()
					other := holder(e, hyper.Domains, key, func(o *hyper.DomainSeen) bool {
						return lives(o) && writes(o, disk.VolumeKey)
					})
					if other != "" {
						e.Break(hyper.Domains.String(), key, "it writes volume %s, and so does %s",
							disk.VolumeKey, other)
					}
				}
			})
		}}
}

func writes(d *hyper.DomainSeen, key string) bool {
	for i := range d.Disks {
		if d.Disks[i].VolumeKey == key && !d.Disks[i].ReadOnly {
			return true
		}
	}
	return false
}
