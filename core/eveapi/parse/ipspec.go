package parse

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/lf-edge/eve-api/go/evecommon"
)

const (
	minMTU     = 1280
	maxMTU     = 65535
	maxServers = 64
)

func number(n int) string { return strconv.Itoa(n) }

// readAddr parses an address; an IPv4 address that is mapped into IPv6 becomes IPv4.
func readAddr(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// readSubnet parses a subnet and clears its host bits.
func readSubnet(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(strings.TrimSpace(s))
	if err != nil {
		return netip.Prefix{}, false
	}
	return p.Masked(), true
}

// dnsServers parses a list of servers; wrong names the first that is no address.
func dnsServers(list []string) (out []netip.Addr, wrong string) {
	for _, s := range list {
		a, ok := readAddr(s)
		if !ok {
			return out, "DNS server " + quote(s) + " is not an IP address"
		}
		if len(out) == maxServers {
			return out, "more than 64 DNS servers"
		}
		out = append(out, a)
	}
	return out, ""
}

// ntpServers joins the two fields of NTP servers, addresses or host names.
func ntpServers(ip *evecommon.Ipspec) (out []string, wrong string) {
	for _, s := range append([]string{ip.GetNtp()}, ip.GetMoreNtp()...) {
		if s == "" {
			continue
		}
		if _, ok := readAddr(s); !ok && !isHost(s) {
			return out, "NTP server " + quote(s) + " is neither an IP address nor a host name"
		}
		if len(out) == maxServers {
			return out, "more than 64 NTP servers"
		}
		out = append(out, s)
	}
	return out, ""
}

// isHost tells whether s can be a host name.
func isHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	for _, label := range strings.Split(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

// readMTU checks an MTU; 0 means none is stated.
func readMTU(n uint32) (uint16, string) {
	if n != 0 && (n < minMTU || n > maxMTU) {
		return 0, "MTU " + number(int(n)) + " is not between 1280 and 65535"
	}
	return uint16(n), ""
}
