package nim

import (
	"fmt"

	"github.com/evetwin/evetwin/core/topics/network"
)

// refusal says why a port cannot be used as it is configured: its configuration makes no sense, or
// it asks for what this device does not do. Empty: nothing is wrong. The other ports are not
// affected.
func refusal(p *network.NetworkPortConfig) string {
	switch {
	case p.InvalidConfig && p.LastError != "":
		return p.LastError
	case p.InvalidConfig:
		return fmt.Sprintf("port %s has an invalid configuration", p.Logicallabel)
	case p.L2Type == network.L2Bond:
		return fmt.Sprintf("port %s: bonds are not supported", p.Logicallabel)
	case p.WirelessCfg == network.WirelessWifi:
		return fmt.Sprintf("port %s: Wi-Fi is not supported", p.Logicallabel)
	case p.WirelessCfg == network.WirelessCellular:
		return fmt.Sprintf("port %s: cellular modems are not supported", p.Logicallabel)
	case p.PNACEnabled:
		return fmt.Sprintf("port %s: 802.1X is not supported", p.Logicallabel)
	case p.NetworkProxyEnable:
		return fmt.Sprintf("port %s: proxy auto-discovery (WPAD) is not supported", p.Logicallabel)
	case p.Pacfile != "":
		return fmt.Sprintf("port %s: proxy auto-configuration (PAC) is not supported",
			p.Logicallabel)
	case p.IfName == "":
		return fmt.Sprintf("port %s is missing interface name", p.Logicallabel)
	}
	return ""
}

// linkless reports whether a refused port must not be touched at all. A port whose proxy alone
// cannot be served still gets its link and addresses, for applications use it without the proxy.
func linkless(p *network.NetworkPortConfig) bool {
	return p.InvalidConfig || p.L2Type == network.L2Bond || p.PNACEnabled || p.IfName == "" ||
		p.WirelessCfg != network.WirelessNone
}
