package bridge

import (
	"bytes"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// Files in the folder of a service.
const (
	mainFile  = "dnsmasq.conf"
	hostsFile = "hosts"
	namesFile = "names"
	leaseFile = "leases"
)

// leastLease is the shortest lease that dnsmasq gives.
const leastLease = 2 * time.Minute

// conf is what a dnsmasq is told: once, and again whenever it changes.
type conf struct {
	main         string
	hosts, names string
	reserved     []device.Host
}

func (c conf) equal(o conf) bool { return c.hosts == o.hosts && c.names == o.names }

// drops reports whether a reservation of c is not one of another configuration.
func (c conf) drops(o conf) bool {
	return slices.ContainsFunc(c.reserved, func(h device.Host) bool {
		return !slices.ContainsFunc(o.reserved, func(x device.Host) bool {
			return x.MAC == h.MAC && x.IP == h.IP
		})
	})
}

// keep leaves out leases that do not hold any more: of a reservation that was and is no more, or
// of an address that is reserved for somebody else.
func (c conf) keep(leases []byte, was conf) []byte {
	var out []byte
	for line := range bytes.Lines(leases) {
		f := strings.Fields(string(line))
		if len(f) < 4 || !c.forbids(f[1], f[2], was) {
			out = append(out, line...)
		}
	}
	return out
}

func (c conf) forbids(mac, ip string, was conf) bool {
	mine := func(h device.Host) bool { return strings.EqualFold(h.MAC, mac) }
	for _, h := range c.reserved {
		if mine(h) != (h.IP.String() == ip) {
			return true
		}
		if mine(h) {
			return false
		}
	}
	return slices.ContainsFunc(was.reserved, mine)
}

// conf is what the service of a bridge is to be told.
func (m *machine) conf(dir, bridge string) conf {
	s := m.spec("service/" + bridge).Service
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("port=53\nuser=root\nno-resolv\nno-hosts\nno-ping\nbogus-priv\ndomain-needed\nbind-interfaces")
	say("neg-ttl=10\ndhcp-ttl=600\nquiet-dhcp\nquiet-dhcp6\ndhcp-authoritative")
	say("interface=%s\nexcept-interface=lo\npid-file=%s", bridge, filepath.Join(dir, "pid"))
	say("dhcp-hostsfile=%s\naddn-hosts=%s\ndhcp-leasefile=%s", filepath.Join(dir, hostsFile),
		filepath.Join(dir, namesFile), filepath.Join(dir, leaseFile))
	lease := int(max(s.LeaseTime, leastLease) / time.Second)
	if s.Subnet.Addr().Is4() {
		say("dhcp-range=%s,%s,%s,%d", s.Start, s.End, netmask(s.Subnet), lease)
		options4(say, s)
	} else {
		say("dhcp-range=%s,%s,%d,%d\nenable-ra", s.Start, s.End, s.Subnet.Bits(), lease)
		if len(s.DNS) > 0 {
			say("dhcp-option=option6:dns-server,%s", join(s.DNS, "[", "]"))
		}
	}
	if s.Domain != "" {
		say("domain=%s", s.Domain)
	}
	if s.FlowLog {
		say("log-queries=extra")
	}
	for _, u := range s.Upstream {
		if u.IfName == "" {
			say("server=%s", u.Addr)
		} else {
			say("server=%s@%s", u.Addr, u.IfName)
		}
	}
	for _, h := range m.hostsOn(bridge) {
		say("nftset=/%s/4#bridge#%s#%s,6#bridge#%s#%s", h, table, hostSet(h, true), table,
			hostSet(h, false))
	}
	out := conf{main: b.String(), reserved: s.Hosts}
	for _, h := range s.Hosts {
		ip := h.IP.String()
		if h.IP.Is6() {
			ip = "[" + ip + "]"
		}
		out.hosts += fmt.Sprintf("%s,%s,%s\n", h.MAC, ip, h.Name)
	}
	for _, n := range s.Names {
		for _, ip := range n.IPs {
			out.names += fmt.Sprintf("%s %s\n", ip, n.Name)
		}
	}
	return out
}

// options4 says what guests are told beside their address.
func options4(say func(string, ...any), s *device.ServiceSpec) {
	if s.NoDefault {
		say("dhcp-option=3")
	} else {
		say("dhcp-option=3,%s", s.Gateway)
	}
	if len(s.DNS) > 0 {
		say("dhcp-option=6,%s", join(s.DNS, "", ""))
	}
	if s.MTU > 0 {
		say("dhcp-option=26,%d", s.MTU)
	}
	var ntp []netip.Addr
	for _, n := range s.NTP {
		if a, err := netip.ParseAddr(n); err == nil && a.Is4() {
			ntp = append(ntp, a)
		}
	}
	if len(ntp) > 0 {
		say("dhcp-option=42,%s", join(ntp, "", ""))
	}
	var routes []string
	for _, r := range s.Routes {
		if r.DstNetwork.Addr().Is4() && r.Gateway.Is4() {
			routes = append(routes, fmt.Sprintf("%s,%s", r.DstNetwork, r.Gateway))
		}
	}
	if s.NoDefault { // EVE: guests without a way out have none to the metadata service
		routes = append(routes, fmt.Sprintf("%s/32,%s", device.MetadataAddr(), s.Gateway))
	}
	if len(routes) == 0 {
		return
	}
	if !s.NoDefault { // who reads this option does not read option 3
		routes = append(routes, fmt.Sprintf("0.0.0.0/0,%s", s.Gateway))
	}
	say("dhcp-option=121,%s", strings.Join(routes, ","))
}

// hostsOn are the domain names in the rules of guests on a bridge, sorted.
func (m *machine) hostsOn(bridge string) []string {
	var out []string
	for _, name := range m.items("vif") {
		if v := m.spec("vif/" + name).Vif; v.Bridge == bridge {
			out = append(out, hosts(v.Rules)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func join(list []netip.Addr, open, end string) string {
	var out []string
	for _, a := range list {
		out = append(out, open+a.String()+end)
	}
	return strings.Join(out, ",")
}

func netmask(p netip.Prefix) netip.Addr {
	a, _ := netip.AddrFromSlice(netkernel.IPNet(p).Mask)
	return a
}
