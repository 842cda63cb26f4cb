package zedrouter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"strings"

	"github.com/evetwin/evetwin/core/topics/network"
)

// bridgeMAC is the address of a bridge; it differs between devices.
func bridgeMAC(device string, num int) string {
	a, b := byte(0x06), byte(0x00) // before the device knows its UUID
	if device != "" {
		sum := sha256.Sum256(rawUUID(device))
		a, b = sum[0], sum[1]
	}
	return net.HardwareAddr{0x00, 0x16, 0x3e, a, b, byte(num)}.String()
}

// guestMAC is the address of an application interface, the same after every restart and reboot. On
// a local network instance it does not depend on the number of the application (EVE's generator 3).
func guestMAC(kind network.NIType, app, ni string, adapter, appNum int) string {
	seed := append(rawUUID(app), rawUUID(ni)...)
	seed = append(seed, byte(adapter))
	if kind == network.NISwitch {
		h := sha256.Sum256(append(seed, byte(appNum)))
		return net.HardwareAddr{0x02, 0x16, 0x3e, h[0], h[1], h[2]}.String()
	}
	h := sha256.Sum256(seed)
	h[0] = h[0]&^0x01 | 0x02 // unicast, locally administered
	return net.HardwareAddr(h[:6]).String()
}

// rawUUID is the 16 bytes of a UUID; of anything else, its text.
func rawUUID(s string) []byte {
	if b, err := hex.DecodeString(strings.ReplaceAll(s, "-", "")); err == nil && len(b) == 16 {
		return b
	}
	return []byte(s)
}

// vifName is the host side of an application interface.
func vifName(adapter, appNum int) string { return fmt.Sprintf("nbu%dx%d", adapter, appNum) }
