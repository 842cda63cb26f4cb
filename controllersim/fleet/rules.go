package fleet

import (
	"strconv"

	"github.com/lf-edge/eve-api/go/config"
)

// Rule is one entry of an interface's access list. The first that matches counts; what no rule
// matches is dropped, so an interface without rules reaches nothing but DHCP and DNS.
type Rule struct {
	ace *config.ACE
}

func rule(matches ...string) Rule {
	ace := &config.ACE{}
	for i := 0; i < len(matches); i += 2 {
		ace.Matches = append(ace.Matches, &config.ACEMatch{Type: matches[i], Value: matches[i+1]})
	}
	return Rule{ace}
}

// AllowAll lets everything through, in both directions.
func AllowAll() Rule { return rule("ip", "0.0.0.0/0") }

// AllowHost lets traffic with a host and its subdomains through.
func AllowHost(name string) Rule { return rule("host", name) }

// AllowIP lets traffic with an address or a network in CIDR form through.
func AllowIP(cidr string) Rule { return rule("ip", cidr) }

// AllowPort lets traffic of a protocol with a remote port through.
func AllowPort(protocol string, port uint16) Rule {
	return rule("protocol", protocol, "fport", strconv.Itoa(int(port)))
}

// MapPort forwards a port of the device's own addresses to a port of the application.
func MapPort(protocol string, device, app uint16) Rule {
	r := rule("protocol", protocol, "lport", strconv.Itoa(int(device)))
	r.ace.Actions = []*config.ACEAction{{Portmap: true, AppPort: uint32(app)}}
	return r
}

// Drop makes a rule drop what it matches.
func (r Rule) Drop() Rule {
	r.ace.Actions = []*config.ACEAction{{Drop: true}}
	return r
}

// Limit lets what the rule matches through up to a rate of packets per unit ("s", "m", "h").
func (r Rule) Limit(rate uint32, unit string, burst uint32) Rule {
	r.ace.Actions = []*config.ACEAction{
		{Limit: true, Limitrate: rate, Limitunit: unit, Limitburst: burst},
	}
	return r
}
