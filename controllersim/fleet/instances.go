package fleet

import (
	"slices"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
)

// LocalNetwork is a network instance with its own subnet behind NAT.
type LocalNetwork struct {
	// Name is what applications of the draft refer to.
	Name string
	// Port is the label of the port or ports it goes out by, "" for none.
	Port string
	// Subnet in CIDR form, default 10.11.12.0/24.
	Subnet string
	// Gateway is the device's own address in it, default the subnet's first.
	Gateway string
	// RangeStart and RangeEnd bound the addresses given out by DHCP, default chosen by the device.
	RangeStart, RangeEnd string
	// DNS servers given to applications, beside the device itself.
	DNS []string
	// Hosts are names resolved by the device, in the order they are listed.
	Hosts []Host
	// Inactive keeps it from being set up.
	Inactive bool
	// NoFlowLog stops the log of flows.
	NoFlowLog bool
}

// Host is a static DNS entry.
type Host struct {
	// Name resolves to Addresses.
	Name      string
	Addresses []string
}

// LocalNetwork adds a local network instance, or replaces the one of its name.
func (d *Draft) LocalNetwork(n LocalNetwork) *Draft {
	if n.Subnet == "" {
		n.Subnet = "10.11.12.0/24"
	}
	ni := &config.NetworkInstanceConfig{
		InstType: config.ZNetworkInstType_ZnetInstLocal, IpType: config.AddressType_IPV4,
		Ip:             &evecommon.Ipspec{Subnet: n.Subnet, Gateway: n.Gateway, Dns: n.DNS},
		DisableFlowlog: n.NoFlowLog,
	}
	if n.RangeStart != "" || n.RangeEnd != "" {
		ni.Ip.DhcpRange = &evecommon.IpRange{Start: n.RangeStart, End: n.RangeEnd}
	}
	for _, h := range n.Hosts {
		ni.Dns = append(ni.Dns, &evecommon.ZnetStaticDNSEntry{HostName: h.Name, Address: h.Addresses})
	}
	return d.instance(n.Name, n.Port, !n.Inactive, ni)
}

// SwitchNetwork adds a network instance that joins applications to the port's own network.
func (d *Draft) SwitchNetwork(name, port string) *Draft {
	return d.instance(name, port, true, &config.NetworkInstanceConfig{
		InstType: config.ZNetworkInstType_ZnetInstSwitch,
	})
}

func (d *Draft) instance(name, port string, active bool, ni *config.NetworkInstanceConfig) *Draft {
	ni.Uuidandversion = &config.UUIDandVersion{Uuid: d.InstanceID(name), Version: "1"}
	ni.Displayname, ni.Activate = name, active
	if port != "" {
		ni.Port = &config.Adapter{Type: evecommon.PhyIoType_PhyIoNoop, Name: port}
	}
	d.RemoveNetwork(name)
	d.cfg.NetworkInstances = append(d.cfg.NetworkInstances, ni)
	return d
}

// RemoveNetwork takes a network instance out.
func (d *Draft) RemoveNetwork(name string) *Draft {
	id := d.InstanceID(name)
	d.cfg.NetworkInstances = slices.DeleteFunc(d.cfg.NetworkInstances,
		func(n *config.NetworkInstanceConfig) bool { return n.GetUuidandversion().GetUuid() == id })
	return d
}

func (d *Draft) hasInstance(name string) bool {
	id := d.InstanceID(name)
	return slices.ContainsFunc(d.cfg.NetworkInstances,
		func(n *config.NetworkInstanceConfig) bool { return n.GetUuidandversion().GetUuid() == id })
}
