package parse

import (
	"net/netip"
	"time"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Numbers of NetworkInstanceConfig.IpType.
const (
	ipNone = 0
	ipV4   = 1
	ipV6   = 2
)

// Instances reads the network instances; at is the time of errors found.
func Instances(list []*config.NetworkInstanceConfig, at time.Time) (
	[]network.NetworkInstanceConfig, string,
) {
	rows := make([]network.NetworkInstanceConfig, 0, min(len(list), MaxObjects))
	for i, n := range list {
		rows = append(rows, instance(n, i, at))
	}
	out, dropped := unique(rows, func(n *network.NetworkInstanceConfig) {
		n.Set(entity.ErrorDescription{
			Error: joinError(n.Error, "another network instance has the same UUID")}, at)
	})
	return out, tooMany("network instances", dropped)
}

func instance(n *config.NetworkInstanceConfig, index int, at time.Time,
) network.NetworkInstanceConfig {
	out := network.NetworkInstanceConfig{
		DisplayName: clip(n.GetDisplayname(), 250), Activate: n.GetActivate(),
		PortLabel: clip(n.GetPort().GetName(), 100), PropagateConnRoutes: n.GetPropagateConnectedRoutes(),
		EnableFlowlog: !n.GetDisableFlowlog(), ForwardLLDP: n.GetForwardLldp(),
	}
	var errs wrongs
	var wrong string
	out.UUIDandVersion, wrong = readIdentity(n.GetUuidandversion(), index)
	errs.add(wrong)
	if t := n.GetInstType(); t >= config.ZNetworkInstType_ZnetInstSwitch &&
		t <= config.ZNetworkInstType_ZnetInstTransparent {
		out.Type = network.NIType(t)
	} else {
		errs.add("network instance type ", number(int(t)), " is unknown")
	}
	out.MTU, wrong = readMTU(n.GetMtu())
	errs.add(wrong)
	switch t := n.GetIpType(); {
	case out.Type == network.NISwitch: // layer 2, whatever the type of addresses is said to be
	case t == config.AddressType_First, t == ipV4, t == ipV6:
		out.IpType = uint8(t)
	default:
		errs.add("IP type ", number(int(t)), " is unknown")
	}
	if out.Type == network.NILocal && out.IpType == ipNone {
		errs.add("a local network instance needs an IP type")
	}
	if out.IpType != ipNone {
		errs.add(readInstanceIP(&out, n.GetIp()))
		out.DnsNameToIPList, wrong = staticDNS(n.GetDns())
		errs.add(wrong)
		errs.add(readRoutes(&out, n.GetStaticRoutes()))
	}
	for _, v := range n.GetVlanAccessPorts() {
		if id := v.GetVlanId(); id < 1 || id > maxVLAN {
			errs.add("access VLAN ", number(int(id)), " is not between 1 and 4094")
		}
	}
	if weigh(out, MaxRow) > MaxRow {
		out = network.NetworkInstanceConfig{UUIDandVersion: out.UUIDandVersion, Type: out.Type,
			DisplayName: out.DisplayName}
		errs.add(tooLarge(MaxRow))
	}
	out.Set(entity.ErrorDescription{Error: errs.String()}, at)
	return out
}

func readInstanceIP(out *network.NetworkInstanceConfig, ip *evecommon.Ipspec) (wrong string) {
	if ip == nil {
		return "it has no IP configuration"
	}
	out.DomainName = clip(ip.GetDomain(), 253)
	if out.NtpServers, wrong = ntpServers(ip); wrong != "" {
		return wrong
	}
	if out.DnsServers, wrong = dnsServers(ip.GetDns()); wrong != "" {
		return wrong
	}
	ok := false
	if out.Subnet, ok = readSubnet(ip.GetSubnet()); !ok {
		return "subnet " + quote(ip.GetSubnet()) + " is not a subnet"
	}
	if out.Subnet.Addr().Is4() != (out.IpType == ipV4) {
		return "subnet " + out.Subnet.String() + " is not of the IP type"
	}
	if g := ip.GetGateway(); g != "" {
		if out.Gateway, ok = readAddr(g); !ok || out.Gateway.IsUnspecified() {
			return "gateway " + quote(g) + " is not a usable IP address"
		}
	}
	if s := ip.GetDhcpRange().GetStart(); s != "" {
		if out.DhcpRange.Start, ok = readAddr(s); !ok {
			return "start " + quote(s) + " of the DHCP range is not an IP address"
		}
	}
	if s := ip.GetDhcpRange().GetEnd(); s != "" {
		if out.DhcpRange.End, ok = readAddr(s); !ok {
			return "end " + quote(s) + " of the DHCP range is not an IP address"
		}
	}
	return completeRange(out)
}

// staticDNS reads static entries; bad addresses are left out, as EVE does.
func staticDNS(list []*evecommon.ZnetStaticDNSEntry) (out []network.DNSNameToIP, wrong string) {
	for i, e := range list {
		if i == 500 {
			return out, "more than 500 static DNS entries"
		}
		n := network.DNSNameToIP{HostName: clip(e.GetHostName(), 253)}
		for _, s := range e.GetAddress() {
			if a, ok := readAddr(s); ok {
				n.IPs = append(n.IPs, a)
			}
		}
		out = append(out, n)
	}
	return out, ""
}

// readRoutes reads the static routes of a network instance.
func readRoutes(out *network.NetworkInstanceConfig, list []*config.IPRoute) string {
	for i, r := range list {
		if i == 200 {
			return "more than 200 static routes"
		}
		c := network.IPRouteConfig{OutputPortLabel: clip(r.GetPort(), 100),
			PreferLowerCost:          r.GetPreferLowerCost(),
			PreferStrongerWwanSignal: r.GetPreferStrongerWwanSignal()}
		ok := false
		if c.DstNetwork, ok = readSubnet(r.GetDestinationNetwork()); !ok {
			return "static route: destination " + quote(r.GetDestinationNetwork()) + " is not a subnet"
		}
		if g := r.GetGateway(); g != "" {
			if c.Gateway, ok = readAddr(g); !ok || c.Gateway.IsUnspecified() {
				return "static route: gateway " + quote(g) + " is not a usable IP address"
			}
		}
		if c.OutputPortLabel == "" && r.GetGateway() == "" {
			return "static route to " + c.DstNetwork.String() + " has neither gateway nor port"
		}
		if c.Gateway.IsValid() && c.Gateway.Is4() != c.DstNetwork.Addr().Is4() {
			return "static route to " + c.DstNetwork.String() + " has a gateway of another IP version"
		}
		out.StaticRoutes = append(out.StaticRoutes, c)
	}
	return ""
}

// next is the address n after a.
func next(a netip.Addr, n int) netip.Addr {
	for ; n > 0 && a.IsValid(); n-- {
		a = a.Next()
	}
	return a
}
