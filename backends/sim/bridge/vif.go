package bridge

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// guestDHCP is how long a guest takes from its start to its address.
const guestDHCP = 2 * time.Second

// Appear tells that the hypervisor made a guest's interface; asks says that its guest asks for an
// address soon, as booted guests do. With real guests Learned tells what they use instead.
func (b *Bridge) Appear(name, mac string, asks bool) {
	b.pt.Do(func() {
		v := &vif{mac: mac, asks: asks}
		if old := b.vifs[name]; old != nil {
			v.gen = old.gen + 1
		}
		b.vifs[name] = v
		b.show(name)
		if asks {
			b.ask(name, v)
		}
	})
}

// Vanish tells that the interface is gone with its guest.
func (b *Bridge) Vanish(name string) {
	b.pt.Do(func() {
		delete(b.vifs, name)
		b.seen.Delete(name)
	})
}

// Learned tells which addresses a real guest uses.
func (b *Bridge) Learned(name string, ips []netip.Addr) {
	b.pt.Do(func() {
		if v := b.vifs[name]; v != nil {
			v.ips = ips
			b.show(name)
		}
	})
}

// ask has the guest ask for its address until it has one.
func (b *Bridge) ask(name string, v *vif) {
	gen := v.gen
	b.pt.After(guestDHCP, func() {
		if b.vifs[name] != v || v.gen != gen || len(v.ips) > 0 {
			return
		}
		if ip := b.lease(name, v.mac); ip.IsValid() {
			v.ips = []netip.Addr{ip}
			b.show(name)
			return
		}
		b.ask(name, v)
	})
}

// lease is what the service of the interface's bridge gives to a MAC.
func (b *Bridge) lease(name, mac string) netip.Addr {
	s := b.specs["vif/"+name].Vif
	if s == nil || !s.Up {
		return netip.Addr{}
	}
	if svc := b.specs["service/"+s.Bridge].Service; svc != nil {
		for _, h := range svc.Hosts {
			if strings.EqualFold(h.MAC, mac) {
				return h.IP
			}
		}
	}
	return netip.Addr{}
}

func (b *Bridge) show(name string) {
	v := b.vifs[name]
	s := b.specs["vif/"+name].Vif
	b.seen.Put(device.VifSeen{Vif: name, IPs: v.ips,
		Attached: s != nil && s.Up && b.Has(s.Bridge)})
}

// follow publishes anew what an item's change means for interfaces.
func (b *Bridge) follow(item string) {
	name, ok := strings.CutPrefix(item, "vif/")
	if v := b.vifs[name]; ok && v != nil {
		b.show(name)
		if len(v.ips) == 0 && v.asks {
			b.ask(name, v)
		}
	}
}

// Mapped finds the application that a packet for a port of the device reaches: the one whose
// interface maps the port, has the address that the map forwards to, and admits the packet by its
// rules. toPort is the guest's port; ok is false if nobody gets it. from may be a guest's address
// too: a guest reaches another by the device's port.
func (b *Bridge) Mapped(ifname, proto string, port uint16, from netip.Addr) (
	app string, toPort uint16, ok bool,
) {
	for _, item := range b.names("vif/") {
		s := b.specs[item].Vif
		if !s.Up {
			continue
		}
		for _, m := range s.PortMaps {
			if m.Protocol != proto || m.Port != port || !slices.Contains(m.In, ifname) {
				continue
			}
			if m.From.IsValid() && !m.From.Contains(from) {
				return "", 0, false
			}
			v := b.vifs[strings.TrimPrefix(item, "vif/")]
			if v == nil || !slices.Contains(v.ips, m.Target) ||
				!Passes(s.Rules, b.gateway(s.Bridge), incoming(proto, from, m.ToPort)) {
				return "", 0, false
			}
			return s.AppID, m.ToPort, true
		}
	}
	return "", 0, false
}

// incoming is the first packet of a connection to a guest's port. Which port it comes from is not
// known.
func incoming(proto string, from netip.Addr, port uint16) Packet {
	p := Packet{Proto: protoTCP, Remote: from, LPort: port}
	if proto == "udp" {
		p.Proto = protoUDP
	}
	return p
}

// gateway is the address of a bridge; invalid without one.
func (b *Bridge) gateway(bridge string) netip.Addr {
	if s := b.specs["bridge/"+bridge].Bridge; s != nil {
		return s.Addr.Addr()
	}
	return netip.Addr{}
}

// Has reports whether a bridge exists.
func (b *Bridge) Has(name string) bool { return b.specs["bridge/"+name].Bridge != nil }

// Spec is what an item was set to, nil if it is not set.
func (b *Bridge) Spec(item string) *device.Spec {
	if s, ok := b.specs[item]; ok {
		return &s
	}
	return nil
}
