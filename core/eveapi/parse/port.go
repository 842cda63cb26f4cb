package parse

import (
	"net/netip"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/topics/network"
)

// port makes the port of one system adapter and the ports below it, which have labels and links
// only. If what it stands on cannot be told, there is no port and wrong says why.
func (in *PortInput) port(a *config.SystemAdapter, version uint8) (
	p *network.NetworkPortConfig, below []*network.NetworkPortConfig, wrong string,
) {
	lower := a.GetLowerLayerName()
	if lower == "" {
		lower = a.GetName()
	}
	io, link := in.IOs.Get(lower), in.Links.Get(lower)
	p = &network.NetworkPortConfig{IsL3Port: true,
		Logicallabel: clip(a.GetName(), 100), Alias: clip(a.GetAlias(), 250),
		AllowLocalModifications: a.GetAllowLocalModifications()}
	switch {
	case a.GetName() == "":
		return nil, nil, "a system adapter without a name is ignored"
	case io == nil && link == nil:
		return nil, nil, "missing lower-layer adapter " + quote(lower)
	case io != nil && link != nil || in.Links.Twice[lower]:
		return nil, nil, "multiple lower-layer adapters match label " + quote(lower)
	case io != nil && !io.Ptype.IsNet():
		return nil, nil, "adapter " + quote(lower) + " is not a network adapter"
	case io != nil:
		placeOn(p, io)
	default:
		p.IfName, p.L2LinkConfig = link.IfName, link.L2LinkConfig
		if link.Error != "" {
			fail(p, "Lower-layer adapter ", lower, " has an error (", link.Error, ")")
		}
		below = in.below(link, 0)
	}
	in.rank(p, a, io, version)
	in.layer3(p, a)
	p.SharedLabels = sharedLabels(p, a.GetSharedLabels())
	for _, n := range in.PNACs {
		p.PNACEnabled = p.PNACEnabled || n.GetLogicallabel() == lower
	}
	if len(p.IfName) > maxIfName {
		fail(p, "interface name ", quote(p.IfName), " is longer than 15 characters")
	}
	return p, below, ""
}

// placeOn copies what a port has from its adapter. Only a modem may be without an interface name:
// it gets one later.
func placeOn(p *network.NetworkPortConfig, io *network.PhysicalIOAdapter) {
	p.Phylabel, p.IfName = io.Phylabel, io.Phyaddr.Ifname
	p.USBAddr, p.PCIAddr = io.Phyaddr.UsbAddr, io.Phyaddr.PciLong
	switch {
	case io.Ptype == network.IoNetWWAN:
		p.WirelessCfg = network.WirelessCellular
	case p.IfName == "":
		p.IfName = io.Logicallabel
	}
}

// below makes the ports of what a link stands on, the lowest last.
func (in *PortInput) below(l *Link, depth int) (out []*network.NetworkPortConfig) {
	for _, label := range l.Below() {
		if io := in.IOs.Get(label); io != nil {
			p := &network.NetworkPortConfig{Logicallabel: io.Logicallabel}
			placeOn(p, io)
			out = append(out, p)
		} else if bond := in.Links.Get(label); bond != nil && depth == 0 {
			p := &network.NetworkPortConfig{Logicallabel: bond.Label, IfName: bond.IfName,
				L2LinkConfig: bond.L2LinkConfig}
			fail(p, bond.Error)
			out = append(append(out, p), in.below(bond, depth+1)...)
		}
	}
	return out
}

// rank sets role and cost. Old controllers say "free" instead of a cost; older ones nothing at all.
func (in *PortInput) rank(p *network.NetworkPortConfig, a *config.SystemAdapter,
	io *network.PhysicalIOAdapter, version uint8,
) {
	if version == 0 {
		p.IsMgmt = true
		return
	}
	p.IsMgmt = a.GetUplink()
	p.Cost = uint8(min(a.GetCost(), 255))
	free := a.GetFreeUplink() || io != nil && io.FreeUplink
	if p.Cost == 0 && !free && in.IOs.FreeUplink {
		p.Cost = 1
	}
}

// layer3 copies the network that the adapter refers to.
func (in *PortInput) layer3(p *network.NetworkPortConfig, a *config.SystemAdapter) {
	p.Dhcp = network.DhcpNone
	addr, ok := netip.Addr{}, false
	if s := a.GetAddr(); s != "" {
		if addr, ok = readAddr(s); !ok {
			fail(p, "Port ", p.Logicallabel, " has the address ", quote(s),
				", which is not an IP address")
		}
	}
	if noUUID(a.GetNetworkUUID()) {
		if p.IsMgmt {
			fail(p, "Port ", p.Logicallabel, " is a management port and has no network")
		}
		return
	}
	id, _ := refUUID(a.GetNetworkUUID())
	p.NetworkUUID = id
	n := in.Networks[id]
	if n == nil {
		fail(p, "Port ", p.Logicallabel, " is configured with the unknown network ", id)
		return
	}
	if n.Error != "" {
		fail(p, "Port ", p.Logicallabel, " is configured with network ", id,
			" which has an error (", n.Error, ")")
	}
	p.DhcpConfig, p.ProxyConfig, p.MTU = n.DhcpConfig, n.ProxyConfig, n.MTU
	p.IgnoreDhcpNtpServers = n.Ignore.GetNtpServerExclusively()
	p.IgnoreDhcpIPAddresses = n.Ignore.GetIpAddressesExclusively()
	p.IgnoreDhcpGateways = n.Ignore.GetGatewaysExclusively()
	p.IgnoreDhcpDNSConfig = n.Ignore.GetDnsConfigExclusively()
	if n.Wireless != network.WirelessNone {
		p.WirelessCfg = n.Wireless
	}
	if ok && n.Subnet.IsValid() && addr.Is4() == n.Subnet.Addr().Is4() {
		p.AddrSubnet = netip.PrefixFrom(addr, n.Subnet.Bits()).String()
	}
	checkDhcp(p, addr, n.Subnet)
}

// checkDhcp checks that a port can get an address in the way it is configured.
func checkDhcp(p *network.NetworkPortConfig, addr netip.Addr, subnet netip.Prefix) {
	switch p.Dhcp {
	case network.DhcpStatic:
		switch {
		case p.AddrSubnet == "":
			fail(p, "Port ", p.Logicallabel, " is configured as static but has no address with subnet")
		case !subnet.Contains(addr):
			fail(p, "Port ", p.Logicallabel, " has the address ", addr.String(),
				", which is not in subnet ", subnet.String())
		}
	case network.DhcpClient:
	case network.DhcpNone:
		if p.IsMgmt {
			fail(p, "Port ", p.Logicallabel, " is a management port without DHCP or a static address")
		}
	default:
		fail(p, "Port ", p.Logicallabel, " is configured with the unknown DHCP type ",
			number(int(p.Dhcp)))
	}
}
