package parse

import (
	"net"
	"slices"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/topics/network"
)

// Limits of an application's network.
const (
	maxInterfaces = 64
	maxRules      = 1000 // of one interface
)

// interfaces reads the interfaces of an application in the order the guest sees them, and numbers
// those on the same network instance.
func interfaces(a *config.AppInstanceConfig, nis map[string]*network.NetworkInstanceConfig) (
	[]network.AppNetAdapterConfig, string,
) {
	var out []network.AppNetAdapterConfig
	var errs wrongs
	enforce := a.GetFixedresources().GetEnforceNetworkInterfaceOrder()
	for i, n := range a.GetInterfaces() {
		if i == maxInterfaces {
			errs.add("more than 64 interfaces")
			break
		}
		one := appInterface(n, nis)
		if enforce {
			one.IntfOrder = n.GetInterfaceOrder()
		}
		if one.Error != "" {
			errs.add("interface ", quote(n.GetName()), ": ", one.Error)
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(x, y network.AppNetAdapterConfig) int {
		return int(int64(x.IntfOrder) - int64(y.IntfOrder))
	})
	count := map[string]uint32{}
	for i := range out {
		if enforce && i > 0 && out[i].IntfOrder == out[i-1].IntfOrder {
			errs.add("interfaces ", quote(out[i-1].Name), " and ", quote(out[i].Name),
				" have the same order ", number(int(out[i].IntfOrder)))
		}
		out[i].IfIdx = count[out[i].Network]
		count[out[i].Network]++
	}
	return out, errs.String()
}

func appInterface(n *config.NetworkAdapter, nis map[string]*network.NetworkInstanceConfig,
) network.AppNetAdapterConfig {
	out := network.AppNetAdapterConfig{Name: clip(n.GetName(), 100),
		AccessVlanID: n.GetAccessVlanId(), AllowToDiscover: n.GetAllowToDiscover()}
	var errs wrongs
	id, ok := refUUID(n.GetNetworkId())
	out.Network = id
	ni := nis[id]
	switch {
	case !ok:
		errs.add("its network instance ", quote(n.GetNetworkId()), " is not a UUID")
	case ni == nil:
		errs.add("its network instance ", id, " does not exist")
	case ni.Type != network.NISwitch && ni.Type != network.NILocal:
		errs.add("network instances of type ", ni.Type.String(), " are not supported")
	}
	if s := n.GetMacAddress(); s != "" {
		if mac, err := net.ParseMAC(s); err == nil && len(mac) == 6 {
			out.AppMacAddr = mac.String()
		} else {
			errs.add("MAC address ", quote(s), " is malformed")
		}
	}
	if s := n.GetAddr(); s != "" {
		ip, ok := readAddr(s)
		switch {
		case !ok:
			errs.add("address ", quote(s), " is not an IP address")
		case !ip.Is4():
			errs.add("Static IPv6 addressing (", ip.String(), ") not yet supported")
		default:
			out.AppIPAddr = ip
		}
	}
	if out.AccessVlanID > maxVLAN {
		errs.add("access VLAN ", number(int(out.AccessVlanID)), " is not between 1 and 4094")
	}
	for i, acl := range n.GetAcls() {
		if i == maxRules {
			errs.add("more than 1000 access rules")
			break
		}
		ace, wrong := rule(acl)
		errs.add(wrong)
		out.ACLs = append(out.ACLs, ace)
		if out.IntfOrder == 0 && ace.RuleID > 0 {
			out.IntfOrder = uint32(ace.RuleID)
		}
	}
	out.Error = errs.String()
	return out
}

// rule reads one access rule. What its matches mean is not looked at here: the agent that carries
// the rule out knows what it can do.
func rule(a *config.ACE) (out network.ACE, wrong string) {
	out = network.ACE{Name: clip(a.GetName(), 250), RuleID: a.GetId()}
	if d := a.GetDir(); d >= config.ACEDirection_BOTH && d <= config.ACEDirection_EGRESS {
		out.Dir = uint8(d)
	} else {
		wrong = "access rule " + number(int(a.GetId())) + " has the unknown direction " + number(int(d))
	}
	if len(a.GetMatches()) > 32 || len(a.GetActions()) > 32 {
		return out, "access rule " + number(int(a.GetId())) + " has more than 32 matches or actions"
	}
	for _, m := range a.GetMatches() {
		out.Matches = append(out.Matches, network.ACEMatch{
			Type: clip(m.GetType(), 250), Value: clip(m.GetValue(), 1000)})
	}
	for _, c := range a.GetActions() {
		if c.GetPortmap() && (c.GetAppPort() < 1 || c.GetAppPort() > 65535) {
			wrong = "access rule " + number(int(a.GetId())) + " maps to port " +
				number(int(c.GetAppPort())) + ", which is none"
		}
		out.Actions = append(out.Actions, network.ACEAction{
			Drop: c.GetDrop(), Limit: c.GetLimit(), LimitRate: int(c.GetLimitrate()),
			LimitUnit: clip(c.GetLimitunit(), 20), LimitBurst: int(c.GetLimitburst()),
			PortMap: c.GetPortmap(), TargetPort: int(c.GetAppPort()),
		})
	}
	return out, wrong
}
