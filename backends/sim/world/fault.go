package world

import "time"

// Code says in what way something did not work. Codes are stable and may be stored.
type Code string

// Codes of errors. What each looks like to a device:
const (
	NoCarrier    Code = "no-carrier"    // the cable is out, or there is no such port
	NoRoute      Code = "no-route"      // there is no way, known at once (ENETUNREACH)
	Unreachable  Code = "unreachable"   // ICMP from a router, or no ARP answer (EHOSTUNREACH)
	Refused      Code = "refused"       // TCP reset or ICMP port unreachable (ECONNREFUSED)
	Timeout      Code = "timeout"       // no answer at all (ETIMEDOUT, deadline)
	NoDNS        Code = "no-dns"        // a name, but no DNS server to ask
	DNSTimeout   Code = "dns-timeout"   // no DNS server answers
	DNSNotFound  Code = "dns-not-found" // NXDOMAIN, or no address of the IP version
	DNSRefused   Code = "dns-refused"   // the server answers REFUSED, or nothing listens there
	ProxyRefused Code = "proxy-refused" // a rule of the proxy forbids the host
	ProxyAuth    Code = "proxy-auth"    // 407: the proxy wants a user and password
	ProxyGateway Code = "proxy-gateway" // 502: the proxy does not reach the destination
	TLS          Code = "tls"           // one side speaks TLS, the other does not
	Reset        Code = "reset"         // the server ends the connection before the response ends
	NAK          Code = "dhcp-nak"      // the DHCP server does not allow the address
)

// Error tells what did not work, where and why.
type Error struct {
	Code Code
	Op   string // carrier, route, dns, dial, proxy, tls, http, dhcp, ra
	To   string // host, address or port that was meant
	Why  string // what in the network is the cause, for people
}

// Error is "op to: code (why)".
func (e *Error) Error() string {
	s := e.Op
	if e.To != "" {
		s += " " + e.To
	}
	s += ": " + string(e.Code)
	if e.Why != "" {
		s += " (" + e.Why + ")"
	}
	return s
}

// Patience of clients that do not state their own.
const (
	dialPatience = 10 * time.Second  // name and connection
	httpPatience = 120 * time.Second // a whole exchange
	dnsPatience  = 5 * time.Second   // one question to one server
	dhcpPatience = 60 * time.Second  // DISCOVER to ACK
	raPatience   = 12 * time.Second  // three solicitations
	arpPatience  = 3 * time.Second   // until a neighbour counts as gone
)
