package bridge

import (
	"strings"
	"time"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// Firewall is what Meddle takes for all access rules and translation.
const Firewall = "firewall"

// restart is how long a service that was killed takes until it serves again.
const restart = 30 * time.Millisecond

// Meddle has somebody on the device take away what an item put there, or Firewall. What stood on a
// bridge goes with it. A service was only killed: it comes back by itself.
func (b *Bridge) Meddle(what string) {
	b.pt.Do(func() {
		kind, name, _ := strings.Cut(what, "/")
		for _, item := range b.names("") {
			s := b.specs[item]
			switch {
			case item == what,
				kind == "bridge" && (item == "nat/"+name || item == "service/"+name ||
					s.Vif != nil && s.Vif.Bridge == name),
				what == Firewall && (s.NAT != nil || s.Vif != nil):
				b.items.Delete(item)
				if item == what && s.Service != nil {
					b.revive(item)
				} else {
					delete(b.specs, item)
				}
			}
		}
		for _, vif := range b.plugged() {
			if kind == "bridge" {
				b.show(vif)
			}
		}
	})
}

// revive brings a service back.
func (b *Bridge) revive(item string) {
	b.pt.After(restart, func() {
		if s, ok := b.specs[item]; ok {
			b.items.Put(device.ItemSeen{Item: item, Spec: s})
		}
	})
}
