package zedrouter

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/network"
)

func ace(pairs ...string) network.ACE {
	out := network.ACE{RuleID: 5}
	for i := 0; i < len(pairs); i += 2 {
		out.Matches = append(out.Matches, network.ACEMatch{Type: pairs[i], Value: pairs[i+1]})
	}
	return out
}

func with(a network.ACE, actions ...network.ACEAction) network.ACE {
	a.Actions = actions
	return a
}

func TestNET31_RulesAsThePartUnderstandsThem(t *testing.T) {
	c := local(ni1, "uplink", 1)
	c.DnsNameToIPList = []network.DNSNameToIP{{HostName: "x", IPs: []netip.Addr{addr("10.9.0.1"),
		addr("10.9.0.2")}}}
	on := &instance{id: ni1, cfg: &c}
	p := netip.MustParsePrefix
	for _, tt := range []struct {
		ace  network.ACE
		want []bridge.Rule
	}{
		{ace("ip", "10.0.0.9/8"), []bridge.Rule{{Remote: p("10.0.0.0/8")}}},
		{ace("ip", "10.0.0.9"), []bridge.Rule{{Remote: p("10.0.0.9/32")}}},
		{ace("host", "lf-edge.org", "protocol", "tcp", "fport", "443"),
			[]bridge.Rule{{Host: "lf-edge.org", Protocol: "tcp", FPort: 443}}},
		{ace("host", "1.2.3.4"), []bridge.Rule{{Remote: p("1.2.3.4/32")}}},
		{ace("eidset", ""), []bridge.Rule{{Remote: p("10.9.0.1/32")}, {Remote: p("10.9.0.2/32")}}},
		{with(ace("protocol", "icmp"), network.ACEAction{Drop: true}),
			[]bridge.Rule{{Protocol: "icmp", Drop: true}}},
		{ace("protocol", "47"), []bridge.Rule{{Protocol: "47"}}},
		{ace("protocol", "all"), []bridge.Rule{{}}},
		{with(ace("protocol", "17", "lport", "53"), network.ACEAction{Limit: true, LimitRate: 9,
			LimitUnit: "s", LimitBurst: 4}),
			[]bridge.Rule{{Protocol: "udp", LPort: 53, Rate: 9, Unit: "s", Burst: 4}}},
	} {
		rules, maps, wrong := on.translate([]network.ACE{tt.ace})
		for i := range tt.want {
			tt.want[i].RuleID = 5
		}
		if wrong != "" || len(maps) != 0 || !reflect.DeepEqual(rules, tt.want) {
			t.Errorf("%+v: %+v, %q", tt.ace, rules, wrong)
		}
	}
	// in the order given, for the first match wins
	rules, _, _ := on.translate([]network.ACE{{RuleID: 9}, {RuleID: 2}})
	if len(rules) != 2 || rules[0].RuleID != 9 || rules[1].RuleID != 2 {
		t.Errorf("order %+v", rules)
	}
}

func TestNET31_RulesThatMakeNoSense(t *testing.T) {
	c := local(ni1, "uplink", 1)
	sw := switched(ni2, "eth0")
	for _, tt := range []struct {
		on   network.NetworkInstanceConfig
		ace  network.ACE
		want string
	}{
		{c, ace("ip", "10.0.0.0/33"), "match ip has the value"},
		{c, ace("protocol", "tpc"), "match protocol has the value"},
		{c, ace("protocol", "tcp", "lport", "0"), "match lport has the value"},
		{c, ace("fport", "80"), "a port needs protocol tcp or udp"},
		{c, ace("ip", "1.1.1.1", "ip", "2.2.2.2"), "match ip is given twice"},
		{c, ace("ip", "1.1.1.1", "host", "x"), "more than one match of the remote side"},
		{c, ace("adapter", "eth0"), "match adapter goes with a port map only"},
		{c, with(ace(), network.ACEAction{Drop: true}, network.ACEAction{}), "more than one action"},
		{c, with(ace(), network.ACEAction{Drop: true, Limit: true}), "more than one action"},
		{c, with(ace(), network.ACEAction{Limit: true, LimitRate: 1, LimitUnit: "fortnight"}),
			"limit unit \"fortnight\" is unknown"},
		{c, with(ace(), network.ACEAction{Limit: true, LimitUnit: "s"}), "limit of rate 0"},
		{c, with(ace("protocol", "tcp"), network.ACEAction{PortMap: true, TargetPort: 1}),
			"needs a protocol and a local port"},
		{c, with(ace("protocol", "tcp", "lport", "1"), network.ACEAction{PortMap: true}),
			"a port map to port 0"},
		{sw, ace("host", "x"), "switch network instances have no rules by host"},
		{sw, ace("eidset", ""), "switch network instances have no rules by host"},
		{sw, with(ace("protocol", "tcp", "lport", "1"), network.ACEAction{PortMap: true,
			TargetPort: 1}), "port maps are for local network instances"},
	} {
		on := &instance{cfg: &tt.on}
		rules, maps, wrong := on.translate([]network.ACE{allow(), tt.ace})
		if rules != nil || maps != nil || !strings.HasPrefix(wrong, "access rule 5: ") ||
			!strings.Contains(wrong, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.ace, wrong, tt.want)
		}
	}
}
