package ledmanager

import (
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// latest is the word that counts of several agents': the one that was said last. Of words said at
// the same time, others know more than nim.
func latest(words func(yield func(string, *node.LedBlinkCounter) bool)) node.LedBlinkCount {
	var best *node.LedBlinkCounter
	for _, w := range words {
		if best == nil || w.Since > best.Since {
			best = w
		}
	}
	if best == nil {
		return node.LedUndefined
	}
	return best.BlinkCounter
}

// derive is the code that shows: radio silence beats all, no usable address forces 1, and with an
// address the device is at least trying to connect.
func derive(said node.LedBlinkCount, dns *network.DeviceNetworkStatus) node.LedBlinkCount {
	switch {
	case dns != nil && dns.RadioSilence:
		return node.LedRadioSilence
	case dns == nil || !dns.Usable():
		return node.LedWaitingForIP
	}
	return max(said, node.LedConnecting)
}
