package fleet

import (
	"slices"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
)

// PortOption changes how a port is configured; without any it uses DHCP and no proxy.
type PortOption func(*port)

// port is what the options of one port come to.
type port struct {
	network *config.NetworkConfig
	adapter *config.SystemAdapter
	ifname  string
}

// Static gives the port a fixed address, its subnet in CIDR form, a gateway and DNS servers.
func Static(addr, subnet, gateway string, dns ...string) PortOption {
	return func(p *port) {
		p.adapter.Addr = addr
		p.network.Ip = &evecommon.Ipspec{
			Dhcp: evecommon.DHCPType_Static, Subnet: subnet, Gateway: gateway, Dns: dns,
		}
	}
}

// IPv6Only makes the port's network one of IPv6 alone.
func IPv6Only() PortOption {
	return func(p *port) { p.network.Type = evecommon.NetworkType_V6Only }
}

// Proxy sends HTTP and HTTPS through a proxy; exceptions is a comma list of hosts that are reached
// without it. Certificates in PEM are trusted for what comes through the proxy.
func Proxy(server string, portNumber uint32, exceptions string, certsPEM ...[]byte) PortOption {
	return func(p *port) {
		p.network.EntProxy = &evecommon.ProxyConfig{
			Exceptions: exceptions, ProxyCertPEM: certsPEM,
			Proxies: []*evecommon.ProxyServer{
				{Proto: evecommon.ProxyProto_PROXY_HTTP, Server: server, Port: portNumber},
				{Proto: evecommon.ProxyProto_PROXY_HTTPS, Server: server, Port: portNumber},
			},
		}
	}
}

// NTP sets the time servers of the port.
func NTP(server string, more ...string) PortOption {
	return func(p *port) { p.network.Ip.Ntp, p.network.Ip.MoreNtp = server, more }
}

// MTU sets the port's MTU.
func MTU(n uint32) PortOption { return func(p *port) { p.network.Mtu = n } }

// Labels puts the port under shared labels.
func Labels(labels ...string) PortOption {
	return func(p *port) { p.adapter.SharedLabels = labels }
}

// KernelName names the kernel's interface, if it is not called like the port.
func KernelName(ifname string) PortOption { return func(p *port) { p.ifname = ifname } }

// MgmtPort adds an Ethernet port for management and applications, at a cost from 0 (free) to
// 255. It brings its own device I/O entry, network and system adapter. A port of this name is
// replaced.
func (d *Draft) MgmtPort(name string, cost uint32, opts ...PortOption) *Draft {
	return d.port(name, cost, true, opts)
}

// AppPort adds an Ethernet port that applications share and the device does not manage itself by.
func (d *Draft) AppPort(name string, opts ...PortOption) *Draft {
	return d.port(name, 0, false, opts)
}

func (d *Draft) port(name string, cost uint32, mgmt bool, opts []PortOption) *Draft {
	p := &port{
		network: &config.NetworkConfig{
			Id: d.NetworkID(name), Type: evecommon.NetworkType_V4,
			Ip: &evecommon.Ipspec{Dhcp: evecommon.DHCPType_Client},
		},
		adapter: &config.SystemAdapter{
			Name: name, Uplink: mgmt, NetworkUUID: d.NetworkID(name), Cost: cost,
		},
		ifname: name,
	}
	for _, o := range opts {
		o(p)
	}
	d.RemovePort(name)
	usage := evecommon.PhyIoMemberUsage_PhyIoUsageShared
	if mgmt {
		usage = evecommon.PhyIoMemberUsage_PhyIoUsageMgmtAndApps
	}
	d.cfg.Networks = append(d.cfg.Networks, p.network)
	d.cfg.SystemAdapterList = append(d.cfg.SystemAdapterList, p.adapter)
	return d.DeviceIO(&config.PhysicalIO{
		Ptype: evecommon.PhyIoType_PhyIoNetEth, Phylabel: name, Logicallabel: name, Assigngrp: name,
		Phyaddrs: map[string]string{"Ifname": p.ifname}, Usage: usage,
		UsagePolicy: &config.PhyIOUsagePolicy{FreeUplink: mgmt && cost == 0},
	})
}

// RemovePort takes a port of MgmtPort, AppPort or VLAN out with its network. Its device I/O entry
// stays: the hardware is still there.
func (d *Draft) RemovePort(name string) *Draft {
	id := d.NetworkID(name)
	d.cfg.Networks = slices.DeleteFunc(d.cfg.Networks, func(n *config.NetworkConfig) bool {
		return n.GetId() == id
	})
	d.cfg.SystemAdapterList = slices.DeleteFunc(d.cfg.SystemAdapterList,
		func(a *config.SystemAdapter) bool { return a.GetName() == name })
	d.cfg.Vlans = slices.DeleteFunc(d.cfg.Vlans, func(v *config.VlanAdapter) bool {
		return v.GetLogicallabel() == name
	})
	return d
}

// VLAN adds a management port on a VLAN of another port, with a network of its own.
func (d *Draft) VLAN(name, parent string, id, cost uint32, opts ...PortOption) *Draft {
	io := slices.Clone(d.cfg.DeviceIoList)
	d.port(name, cost, true, opts)
	d.cfg.DeviceIoList = io
	d.adapter(name).LowerLayerName, d.adapter(name).FreeUplink = name, cost == 0
	d.cfg.Vlans = append(d.cfg.Vlans, &config.VlanAdapter{
		Logicallabel: name, InterfaceName: name, LowerLayerName: parent, VlanId: id,
	})
	return d
}

func (d *Draft) adapter(name string) *config.SystemAdapter {
	for _, a := range d.cfg.GetSystemAdapterList() {
		if a.GetName() == name {
			return a
		}
	}
	return nil
}

// DeviceIO adds a piece of hardware to the device's model, or replaces the one of its physical
// label.
func (d *Draft) DeviceIO(io *config.PhysicalIO) *Draft {
	i := slices.IndexFunc(d.cfg.DeviceIoList, func(o *config.PhysicalIO) bool {
		return o.GetPhylabel() == io.GetPhylabel()
	})
	if i >= 0 {
		d.cfg.DeviceIoList[i] = io
		return d
	}
	d.cfg.DeviceIoList = append(d.cfg.DeviceIoList, io)
	return d
}
