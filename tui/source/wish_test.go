package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/tui/source"
)

func TestWishes(t *testing.T) {
	for text, want := range map[string]operator.Interface{
		"dhcp":            {Mode: "dhcp"},
		"dhcp proxy none": {Mode: "dhcp", Proxy: operator.Proxy{Mode: "none"}},
		"static 10.0.0.5/24": {Mode: "static",
			Address: "10.0.0.5/24"},
		" static 10.0.0.5 subnet 255.255.255.0 gateway 10.0.0.1 dns 1.1.1.1,9.9.9.9 ntp a,b domain d ": {
			Mode: "static", Address: "10.0.0.5", Subnet: "255.255.255.0", Gateway: "10.0.0.1",
			DNSServers: []string{"1.1.1.1", "9.9.9.9"}, NTP: []string{"a", "b"}, Domain: "d"},
		"dhcp proxy http://p:3128,https://[2001:db8::1]:99 except a.b,c": {Mode: "dhcp",
			Proxy: operator.Proxy{Mode: "manual", Exceptions: []string{"a.b", "c"},
				Servers: []operator.ProxyServer{{Scheme: "http", Host: "p", Port: 3128},
					{Scheme: "https", Host: "2001:db8::1", Port: 99}}}},
	} {
		want.Name = "eth0"
		r := source.Request{Verb: source.SetPort, Target: "eth0", Text: text}
		q, ok, err := r.Wish()
		if diff := cmp.Diff(operator.RequestSeen{Kind: operator.SetInterface, Interface: &want},
			q); diff != "" || !ok || err != nil || r.Check() != nil {
			t.Errorf("%q: %v %v %s", text, ok, err, diff)
		}
	}
	for text, says := range map[string]string{
		"dhcp dns":            `nothing stands behind "dns"`,
		"dhcp speed 10":       `"speed" is nothing`,
		"dhcp proxy p:3128":   "no URL",
		"dhcp proxy http://p": "no port",
	} {
		_, ok, err := (source.Request{Verb: source.SetPort, Target: "e", Text: text}).Wish()
		if !ok || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
	q, ok, err := (source.Request{Verb: source.SetServer, Text: " s:1 "}).Wish()
	if q.Kind != operator.SetServer || q.Server != "s:1" || !ok || err != nil {
		t.Errorf("set-server: %+v %v %v", q, ok, err)
	}
	q, ok, err = (source.Request{Verb: source.RevertPorts}).Wish()
	if q.Kind != operator.Revert || !ok || err != nil {
		t.Errorf("revert-ports: %+v %v %v", q, ok, err)
	}
	if _, ok, _ = (source.Request{Verb: source.Reboot}).Wish(); ok {
		t.Error("reboot is a wish of monitor's")
	}
	for _, r := range []source.Request{{Verb: source.SetPort, Target: "eth0"},
		{Verb: source.SetPort, Text: "dhcp"}, {Verb: source.SetServer},
		{Verb: source.SetServer, Text: strings.Repeat("x", 5000)}} {
		if r.Check() == nil {
			t.Errorf("%+.40v is taken", r)
		}
	}
}
