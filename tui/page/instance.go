package page

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// instanceFacts tells all about a network instance.
func instanceFacts(s *Stage, f *facts, x *network.NetworkInstanceStatus) {
	if x.Activated {
		f.add("state", widget.Text(style.Good, s.Theme.On+" active").
			Put(style.Dim, " "+ago(x.ActivatedAt, s.State.Wall(s.Now))))
	} else {
		f.add("state", widget.Text(style.Busy, s.Theme.Part+" not active"))
	}
	f.say("id", style.Dim, x.UUID)
	f.say("type", style.Plain, x.Type.String())
	f.add("bridge", widget.Text(style.Accent, x.BridgeName).Put(style.Dim, " ").
		Put(style.Plain, x.BridgeMac).Put(style.Dim, fmt.Sprintf(" MTU %d", x.EffectiveMTU)))
	if x.Subnet.IsValid() {
		f.say("subnet", style.Accent, x.Subnet.String())
	}
	if x.BridgeIPAddr.IsValid() {
		f.say("gateway", style.Accent, x.BridgeIPAddr.String())
	}
	f.say("domain", style.Plain, x.DomainName)
	switch {
	case x.PortLabel == "":
		f.say("uplink", style.Dim, "none: air-gapped")
	case x.SelectedUplink == "":
		f.say("uplink", style.Warn, "none of "+x.PortLabel)
	default:
		f.add("uplink", widget.Text(style.Strong, x.SelectedUplink).
			Put(style.Dim, " of "+strings.Join(x.Ports, ", ")))
	}
	errorFacts(s, f, &x.NetworkErr)
	if len(x.Vifs) > 0 {
		f.head("Interfaces of applications")
	}
	for _, v := range x.Vifs {
		l := widget.Text(style.Strong, appName(s, v.AppID)).Put(style.Dim, " "+v.Name+" "+v.MacAddr)
		for _, a := range x.IPAssignments {
			if a.MacAddr == v.MacAddr && a.IP.IsValid() {
				l = l.Put(style.Accent, " "+a.IP.String())
			}
		}
		f.out = append(f.out, l)
	}
	maps := portMapsOf(s, x.UUID)
	if len(maps) > 0 {
		f.head("Port maps")
		f.out = append(f.out, maps...)
	}
	if len(x.CurrentRoutes) > 0 {
		f.head("Routes")
	}
	for _, r := range x.CurrentRoutes {
		f.out = append(f.out, widget.Text(style.Accent, r.DstNetwork.String()).
			Put(style.Dim, " by "+or(r.OutputPort, r.GatewayApp)))
	}
}

// appName is the name of an application, its UUID if there is none.
func appName(s *Stage, id string) string {
	if a := source.Get(s.State, app.Statuses, id); a != nil && a.DisplayName != "" {
		return a.DisplayName
	}
	return id
}

// portMapsOf lists the ports of the device that lead into a network instance.
func portMapsOf(s *Stage, id string) widget.Block {
	var out widget.Block
	for _, a := range source.All(s.State, app.Statuses) {
		for i := range a.AppNetAdapters {
			n := &a.AppNetAdapters[i]
			if n.Network != id {
				continue
			}
			for _, m := range portMaps(s, a.UUID, n) {
				out = append(out, widget.Text(style.Accent, m).Put(style.Dim, " to ").
					Put(style.Strong, a.DisplayName))
			}
		}
	}
	return out
}

// portMaps lists the ports of the device that lead to an interface of an application, as its status
// says or, where that has no rules, as they are wished.
func portMaps(s *Stage, id string, n *network.AppNetAdapterStatus) []string {
	rules := n.ACLs
	if c := source.Get(s.State, app.Configs, id); c != nil && len(rules) == 0 {
		for i := range c.AppNetAdapterList {
			if c.AppNetAdapterList[i].Name == n.Name {
				rules = c.AppNetAdapterList[i].ACLs
			}
		}
	}
	var out []string
	for _, ace := range rules {
		for _, act := range ace.Actions {
			if act.PortMap {
				out = append(out, fmt.Sprintf("%s %s -> %d", match(ace, "protocol", "any"),
					match(ace, "lport", "any"), act.TargetPort))
			}
		}
	}
	return out
}

func match(a network.ACE, kind, otherwise string) string {
	for _, m := range a.Matches {
		if m.Type == kind {
			return m.Value
		}
	}
	return otherwise
}

// adapterAddresses are the addresses of an interface of an application, as seen or as promised.
func adapterAddresses(n *network.AppNetAdapterStatus) string {
	if len(n.AssignedAddresses) > 0 {
		return list[netip.Addr](n.AssignedAddresses)
	}
	if n.AllocatedIPv4Addr.IsValid() {
		return n.AllocatedIPv4Addr.String()
	}
	return ""
}
