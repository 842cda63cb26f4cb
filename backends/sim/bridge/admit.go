package bridge

import (
	"net/netip"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// Packet is a packet at a guest's interface, seen from the guest.
type Packet = device.Packet

// Protocols of packets.
const (
	protoTCP = 6
	protoUDP = 17
)

// Passes reports whether a packet passes at a guest's interface. Rules by domain name never match.
func Passes(rules []device.Rule, gateway netip.Addr, p Packet) bool {
	return device.Decide(rules, gateway, p, nil).Pass
}
