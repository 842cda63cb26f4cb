package monitor

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// keyManual is the key of what was configured by hand.
const keyManual = "manual"

// setInterface configures a port by hand: one port of the configuration that counts is another, all
// of it is the operator's from now on.
func (m *monitor) setInterface(t *agent.Turn, q *operator.Interface) *refusal {
	base := m.base()
	if base == nil {
		return &refusal{text: "there is no port configuration to change yet"}
	}
	at := slices.IndexFunc(base.Ports, func(p network.NetworkPortConfig) bool {
		return p.IfName == q.Name && q.Name != ""
	})
	if at < 0 {
		at = slices.IndexFunc(base.Ports, func(p network.NetworkPortConfig) bool {
			return p.Logicallabel == q.Name && q.Name != ""
		})
	}
	if at < 0 {
		return refused(operator.FieldError{Field: "iface",
			Text: "no port of the device is called " + clip(q.Name)})
	}
	d := fresh(base)
	var wrong []operator.FieldError
	if d.Ports[at], wrong = patched(d.Ports[at], q); len(wrong) > 0 {
		return refused(wrong...)
	}
	d.TimePriority = t.Wall
	if old := m.manual.Get(keyManual); old != nil && !d.TimePriority.After(old.TimePriority) {
		d.TimePriority = old.TimePriority.Add(time.Nanosecond) // the clock stood, or went back
	}
	m.manual.Put(d)
	return nil
}

// base is the configuration that a change builds on: what was configured by hand before, else the
// one in use, else the first one; nil if there is none.
func (m *monitor) base() *network.DevicePortConfig {
	if d := m.manual.Get(keyManual); d != nil {
		return d
	}
	list := m.dpcl.Get(entity.Global)
	if list == nil || len(list.PortConfigList) == 0 {
		return nil
	}
	if dns := m.net.Get(entity.Global); dns != nil && dns.CurrentIndex >= 0 &&
		dns.CurrentIndex < len(list.PortConfigList) {
		return &list.PortConfigList[dns.CurrentIndex]
	}
	return &list.PortConfigList[0]
}

// fresh is a configuration as one that nobody has tested, by hand.
func fresh(base *network.DevicePortConfig) network.DevicePortConfig {
	d := network.DevicePortConfig{Version: 1, DPCKey: keyManual, Ports: slices.Clone(base.Ports)}
	for i := range d.Ports {
		p := &d.Ports[i]
		if !p.InvalidConfig { // that one has the reason
			p.TestResults = network.TestResults{}
		}
		p.IsMgmt = p.IsMgmt || base.Version == 0
		p.ConfigSource = network.OriginTUI
	}
	return d
}

// refused says which fields are wrong.
func refused(fields ...operator.FieldError) *refusal {
	var texts []string
	for _, f := range fields {
		texts = append(texts, f.Field+": "+f.Text)
	}
	return &refusal{text: strings.Join(texts, "; "), fields: fields}
}

// patched is a port as the operator wants it, and what is wrong with that.
func patched(p network.NetworkPortConfig, q *operator.Interface) (network.NetworkPortConfig,
	[]operator.FieldError,
) {
	c := &check{}
	if p.Dhcp == network.DhcpNone || !p.IsL3Port && p.Dhcp == network.DhcpNoop {
		c.wrong("iface", "the port is used without IP addresses")
	}
	out := network.DhcpConfig{DomainName: c.domain(q.Domain), Type: p.Type,
		NTPServers: c.hosts("ntp", q.NTP), DNSServers: c.servers(q.DNSServers)}
	switch q.Mode {
	case operator.ModeDHCP:
		out.Dhcp = network.DhcpClient
		if q.Address != "" || q.Subnet != "" || q.Gateway != "" {
			c.wrong("ip.mode", "an interface with DHCP has no address of its own")
		}
	case operator.ModeStatic:
		out.Dhcp = network.DhcpStatic
		c.static(q, &out)
	default:
		c.wrong("ip.mode", "neither dhcp nor static")
	}
	p.DhcpConfig = out
	p.IgnoreDhcpIPAddresses, p.IgnoreDhcpGateways = false, false
	c.proxy(&q.Proxy, &p.ProxyConfig)
	// If it was the configuration that made no sense, it is another one now; nim looks at it anew.
	p.InvalidConfig, p.TestResults = false, network.TestResults{}
	return p, c.fields
}

// family makes the kind of a network fit an address.
func family(is network.NetworkType, a netip.Addr) network.NetworkType {
	switch {
	case a.Is4() && (is == network.NetworkV6 || is == network.NetworkV6Only):
		return network.NetworkV4
	case a.Is6() && is != network.NetworkV6 && is != network.NetworkV6Only:
		return network.NetworkV6
	}
	return is
}
