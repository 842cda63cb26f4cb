package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// portFacts tells all about a port.
func portFacts(s *Stage, f *facts, p *network.NetworkPortStatus) {
	if p.Up {
		f.add("link", widget.Text(style.Good, s.Theme.On+" up"))
	} else {
		f.add("link", widget.Text(style.Warn, s.Theme.Warn+" no carrier"))
	}
	f.add("interface", widget.Text(style.Strong, p.IfName).Put(style.Dim, " ").
		Put(style.Plain, p.MacAddr).Put(style.Dim, fmt.Sprintf(" MTU %d", p.MTU)))
	f.say("below", style.Plain, layer2(&p.L2LinkConfig))
	use := "applications only"
	if p.IsMgmt {
		use = "management and applications, cost " + strconv.Itoa(int(p.Cost))
	}
	f.say("use", style.Plain, use)
	f.say("addressing", style.Plain, dhcpWord(p.Dhcp)+ipWord(p.Type))
	f.tell("labels", style.Dim, strings.Join(p.SharedLabels, ", "))
	f.say("set by", style.Plain, originWord(p.ConfigSource))
	if len(p.AddrInfoList) == 0 && p.IsL3Port {
		f.say("addresses", style.Warn, "none")
	}
	for i, a := range p.AddrInfoList {
		f.say(first(i, "addresses"), style.Accent, a.String())
	}
	f.tell("routers", style.Accent, list(p.DefaultRouters))
	f.tell("DNS", style.Accent, list(p.DNSServers))
	f.tell("domain", style.Plain, p.DomainName)
	f.tell("NTP", style.Plain, strings.Join(p.NtpServers, ", "))
	proxyFacts(f, &p.ProxyConfig)
	testFacts(s, f, &p.TestResults)
	errorFacts(s, f, &p.ErrorDescription)
}

// first is a label for the first of several lines.
func first(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

func layer2(l *network.L2LinkConfig) string {
	switch l.L2Type {
	case network.L2VLAN:
		return fmt.Sprintf("VLAN %d on %s", l.VLAN.ID, l.VLAN.ParentPort)
	case network.L2Bond:
		return "bond of " + strings.Join(l.Bond.AggregatedPorts, ", ")
	}
	return ""
}

func dhcpWord(d network.DhcpType) string {
	switch d {
	case network.DhcpStatic:
		return "static"
	case network.DhcpNone:
		return "none, layer 2 only"
	case network.DhcpClient:
		return "DHCP"
	}
	return "not configured"
}

func ipWord(t network.NetworkType) string {
	switch t {
	case network.NetworkV4Only:
		return ", IPv4 only"
	case network.NetworkV6:
		return ", IPv6 preferred"
	case network.NetworkV6Only:
		return ", IPv6 only"
	case network.NetworkDual:
		return ", dual stack"
	}
	return ""
}

func originWord(o network.Origin) string {
	words := [...]string{"", "the controller", "the bootstrap configuration", "an override file",
		"the last resort", "a local user", "the local operator console", "the local profile server"}
	return words[min(int(o), len(words)-1)]
}

func proxyFacts(f *facts, p *network.ProxyConfig) {
	kinds := [...]string{"http by ", "https by ", "socks by ", "ftp by ", ""}
	for i, e := range p.Proxies {
		kind := kinds[min(int(e.Type), len(kinds)-1)]
		f.tell(first(i, "proxy"), style.Plain, fmt.Sprintf("%s%s:%d", kind, e.Server, e.Port))
	}
	f.tell("not by proxy", style.Plain, p.Exceptions)
	if p.NetworkProxyEnable {
		f.tell("WPAD", style.Plain, or(p.NetworkProxyURL, p.WpadURL, "asked for"))
	}
	if p.Pacfile != "" {
		f.say("PAC", style.Plain, "a file of "+size(float64(len(p.Pacfile)*3/4)))
	}
	if n := len(p.ProxyCertPEM); n > 0 {
		f.say("trusts", style.Plain, count(n, "further certificate"))
	}
}

// testFacts tells how tests of the way to the controller ended.
func testFacts(s *Stage, f *facts, r *network.TestResults) {
	now := s.State.Wall(s.Now)
	if !r.LastSucceeded.IsZero() {
		f.say("worked", style.Good, ago(r.LastSucceeded, now))
	}
	if !r.LastFailed.IsZero() {
		f.say("failed", style.Warn, ago(r.LastFailed, now))
	}
	f.tell("because", style.Plain, r.LastError)
	f.tell("warning", style.Warn, r.LastWarning)
}

// errorFacts tells an error.
func errorFacts(s *Stage, f *facts, e *entity.ErrorDescription) {
	if e.Error == "" {
		return
	}
	role := style.Bad
	switch e.ErrorSeverity {
	case entity.SeverityWarning:
		role = style.Warn
	case entity.SeverityNotice:
		role = style.Busy
	}
	f.tell(e.ErrorSeverity.String(), role, e.Error)
	f.tell("since", style.Dim, ago(e.ErrorTime, s.State.Wall(s.Now)))
	f.tell("then", style.Dim, e.ErrorRetryCondition)
}

// configFacts tells all about a port configuration.
func configFacts(s *Stage, f *facts, c *network.DevicePortConfig) {
	f.add("state", dpcState(s, c.State).Put(style.Dim, " "+c.State.String()))
	f.say("priority", style.Plain, c.TimePriority.UTC().Format("2006-01-02 15:04:05Z"))
	if !c.LastIPAndDNS.IsZero() {
		f.say("address", style.Plain, ago(c.LastIPAndDNS, s.State.Wall(s.Now)))
	}
	testFacts(s, f, &c.TestResults)
	for i := range c.Ports {
		p := &c.Ports[i]
		f.head("Port " + or(p.Logicallabel, p.IfName))
		f.say("interface", style.Strong, or(p.IfName, p.PCIAddr, p.USBAddr))
		use := "applications only"
		if p.IsMgmt {
			use = "management, cost " + strconv.Itoa(int(p.Cost))
		}
		f.say("use", style.Plain, use)
		f.say("below", style.Plain, layer2(&p.L2LinkConfig))
		f.say("addressing", style.Plain, dhcpWord(p.DhcpConfig.Dhcp)+ipWord(p.DhcpConfig.Type))
		f.say("address", style.Accent, p.AddrSubnet)
		f.tell("DNS", style.Accent, list(p.DNSServers))
		proxyFacts(f, &p.ProxyConfig)
		testFacts(s, f, &p.TestResults)
	}
}
