package zedrouter

import (
	"net/netip"
	"strconv"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/network"
)

// maxRules of an interface, after expansion.
const maxRules = 1000

// match is what an access rule looks for.
type match struct {
	ip      netip.Prefix
	host    string
	eidset  bool
	proto   string // "" for all
	fport   uint16
	lport   uint16
	adapter string // label of ports, of a port map
	given   []string
}

// translate turns access rules into what the part understands; the first that makes no sense fails
// all, for a rule that is left out silently would be a hole.
//
// EVE: a rule that cannot be read is logged and left out.
func (n *instance) translate(list []network.ACE) (rules []bridge.Rule, maps []portMap,
	wrong string) {
	for i := range list {
		ace := &list[i]
		m, wrong := readMatches(ace.Matches)
		if wrong == "" {
			wrong = n.suits(ace, &m)
		}
		if wrong != "" {
			return nil, nil, "access rule " + strconv.Itoa(int(ace.RuleID)) + ": " + wrong
		}
		rules = append(rules, n.expand(ace, &m)...)
		if action(ace).PortMap {
			maps = append(maps, n.portMap(ace, &m))
		}
		if len(rules) > maxRules {
			return nil, nil, "more than " + itoa(maxRules) + " access rules"
		}
	}
	return rules, maps, twice(maps)
}

// action is the one of a rule; none means accept.
func action(ace *network.ACE) network.ACEAction {
	if len(ace.Actions) == 0 {
		return network.ACEAction{}
	}
	return ace.Actions[0]
}

func readMatches(list []network.ACEMatch) (m match, wrong string) {
	for _, one := range list {
		for _, t := range m.given {
			if t == one.Type {
				return m, "match " + one.Type + " is given twice"
			}
		}
		m.given = append(m.given, one.Type)
		ok := true
		switch one.Type {
		case "ip":
			m.ip, ok = readPrefix(one.Value)
		case "host":
			if ip, err := netip.ParseAddr(one.Value); err == nil {
				m.ip = netip.PrefixFrom(ip, ip.BitLen())
			} else {
				m.host, ok = one.Value, one.Value != ""
			}
		case "eidset":
			m.eidset = true
		case "protocol":
			m.proto, ok = readProtocol(one.Value)
		case "fport":
			m.fport, ok = readPort(one.Value)
		case "lport":
			m.lport, ok = readPort(one.Value)
		case "adapter":
			m.adapter, ok = one.Value, one.Value != ""
		default:
			return m, "match type " + strconv.Quote(one.Type) + " is unknown"
		}
		if !ok {
			return m, "match " + one.Type + " has the value " + strconv.Quote(one.Value)
		}
	}
	return m, ""
}

func readPrefix(s string) (netip.Prefix, bool) {
	if ip, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(ip, ip.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err == nil
}

func readProtocol(s string) (string, bool) {
	switch s {
	case "tcp", "udp", "icmp", "icmpv6":
		return s, true
	case "", "all":
		return "", true
	case "6":
		return "tcp", true
	case "17":
		return "udp", true
	}
	n, err := strconv.ParseUint(s, 10, 8)
	return strconv.FormatUint(n, 10), err == nil
}

func readPort(s string) (uint16, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil && n > 0
}

// suits says what is wrong with a rule as a whole, empty if nothing.
func (n *instance) suits(ace *network.ACE, m *match) string {
	ported := m.proto == "tcp" || m.proto == "udp"
	a := action(ace)
	switch {
	case len(ace.Actions) > 1 || count(a.Drop, a.Limit, a.PortMap) > 1:
		return "it has more than one action"
	case (m.fport > 0 || m.lport > 0) && !ported:
		return "a port needs protocol tcp or udp"
	case !n.local() && (m.host != "" || m.eidset):
		return "switch network instances have no rules by host or eidset"
	case m.ip.IsValid() && (m.host != "" || m.eidset) || m.host != "" && m.eidset:
		return "more than one match of the remote side"
	case m.adapter != "" && !a.PortMap:
		return "match adapter goes with a port map only"
	case a.Limit:
		return limited(&a)
	case a.PortMap:
		return n.mappable(&a, m)
	}
	return ""
}

func count(list ...bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}

func limited(a *network.ACEAction) string {
	if a.LimitRate <= 0 || a.LimitBurst < 0 {
		return "limit of rate " + itoa(a.LimitRate) + " and burst " + itoa(a.LimitBurst)
	}
	if unit(a.LimitUnit) == "" {
		return "limit unit " + strconv.Quote(a.LimitUnit) + " is unknown"
	}
	return ""
}

// unit of a rate in one letter, empty if unknown.
func unit(s string) string {
	switch s {
	case "s", "sec", "second":
		return "s"
	case "m", "min", "minute":
		return "m"
	case "h", "hour":
		return "h"
	case "d", "day":
		return "d"
	}
	return ""
}

// expand makes the rules of one access rule: one, or one per address of a set. A port map admits
// what it forwards, which arrives at the target port.
func (n *instance) expand(ace *network.ACE, m *match) (out []bridge.Rule) {
	a := action(ace)
	r := bridge.Rule{RuleID: ace.RuleID, Protocol: m.proto, Remote: m.ip, Host: m.host,
		FPort: m.fport, LPort: m.lport, Drop: a.Drop}
	if a.Limit {
		r.Rate, r.Unit, r.Burst = a.LimitRate, unit(a.LimitUnit), a.LimitBurst
	}
	if a.PortMap {
		r.LPort = uint16(a.TargetPort)
	}
	if !m.eidset {
		return []bridge.Rule{r}
	}
	for _, e := range n.cfg.DnsNameToIPList {
		for _, ip := range e.IPs {
			r.Remote = netip.PrefixFrom(ip, ip.BitLen())
			out = append(out, r)
		}
	}
	return out
}
