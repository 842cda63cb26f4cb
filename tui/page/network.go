package page

import (
	"strconv"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// Panes of the page.
const (
	ports = iota
	configs
	instances
	netPanes
)

// Network shows ports, port configurations and network instances, and one of them in detail.
type Network struct {
	focus  int
	picks  [netPanes]Pick
	views  [netPanes]widget.View
	detail widget.View
}

// Name is the page's name.
func (*Network) Name() string { return "Network" }

// Hints are the page's keys.
func (*Network) Hints(*Stage) []Hint {
	return []Hint{{"↑↓", "select"}, {"←→", "pane"}, {"pgup/dn", "details"}}
}

// Press moves between panes and in them.
func (n *Network) Press(s *Stage, key string) bool {
	switch key {
	case "left", "h":
		n.focus = (n.focus + netPanes - 1) % netPanes
	case "right", "l", "enter":
		n.focus = (n.focus + 1) % netPanes
	default:
		if scroll(&n.detail, key) {
			return true
		}
		if !n.picks[n.focus].Press(key, n.keys(s)[n.focus], n.views[n.focus].Height) {
			return false
		}
	}
	n.detail.Top = 0
	return true
}

// Actions are for the selected port, and for what was configured by hand.
func (n *Network) Actions(s *Stage) (out []source.Request) {
	d := dns(s)
	if i := n.picks[ports].In(n.keys(s)[ports]); d != nil && i >= 0 {
		p := &d.Ports[i]
		out = []source.Request{{Verb: source.PullCable, Target: p.IfName},
			{Verb: source.PlugCable, Target: p.IfName},
			{Verb: source.SetPort, Target: p.IfName, Text: portText(p)}}
	}
	if byHand(dpcl(s)) {
		out = append(out, source.Request{Verb: source.RevertPorts})
	}
	return out
}

func dns(s *Stage) *network.DeviceNetworkStatus {
	return source.Get(s.State, network.DNS, entity.Global)
}

func dpcl(s *Stage) *network.DevicePortConfigList {
	return source.Get(s.State, network.DPCL, entity.Global)
}

// keys are the keys of the rows of each pane.
func (n *Network) keys(s *Stage) [netPanes][]string {
	var out [netPanes][]string
	if d := dns(s); d != nil {
		for i := range d.Ports {
			out[ports] = append(out[ports], d.Ports[i].Logicallabel+"/"+d.Ports[i].IfName)
		}
	}
	if l := dpcl(s); l != nil {
		for i := range l.PortConfigList {
			c := &l.PortConfigList[i]
			out[configs] = append(out[configs], c.DPCKey+c.TimePriority.String())
		}
	}
	for _, x := range source.All(s.State, network.InstanceStatus) {
		out[instances] = append(out[instances], x.UUID)
	}
	return out
}

// Render draws the page.
func (n *Network) Render(s *Stage, width, height int) widget.Block {
	left := max(width*42/100, min(34, width))
	right := width - left
	if width < 60 {
		left, right = width, 0
	}
	lists := n.lists(s, left, height)
	if right == 0 {
		top := min(height/2, len(lists))
		return append(lists.Sized(width, top, s.Theme), n.details(s, width, height-top)...).
			Sized(width, height, s.Theme)
	}
	return widget.Beside(lists.Sized(left, height, s.Theme), n.details(s, right, height))
}

// lists are the panes of lists; each has as much room as it needs, if there is enough.
func (n *Network) lists(s *Stage, width, height int) widget.Block {
	keys := n.keys(s)
	var heights [netPanes]int
	rest := height
	for i := range netPanes {
		heights[i] = max(4, len(keys[i])+3)
		rest -= heights[i]
	}
	for i := 0; rest < 0 && i < 3*height; i++ {
		if j := i % netPanes; heights[j] > 4 {
			heights[j]--
			rest++
		}
	}
	heights[instances] += max(0, rest)
	tables := [netPanes]widget.Table{portTable(s), n.configs(s), n.instances(s)}
	titles := [netPanes]string{"Ports", "Port configurations", "Network instances"}
	var out widget.Block
	for i := range tables {
		tables[i].Cursor = n.picks[i].In(keys[i])
		tables[i].Mark = markOf(n.focus == i)
		w, h := widget.Inner(width, heights[i])
		body := tables[i].Render(&n.views[i], w, h, s.Theme)
		if len(keys[i]) == 0 {
			body = widget.Block{widget.Text(style.Dim, "none")}
		}
		out = append(out, widget.Box{Title: titles[i], Focus: n.focus == i,
			Note: n.views[i].Note(s.Theme)}.Render(body, width, heights[i], s.Theme)...)
	}
	return out
}

// portTable lists the ports.
func portTable(s *Stage) widget.Table {
	tb := widget.Table{Columns: []widget.Column{{Title: "port", Grow: true, Max: 28},
		{Title: "interface", Drop: 2}, {Title: "use", Drop: 1}, {Title: "address", Max: 24}}}
	d := dns(s)
	if d == nil {
		return tb
	}
	for i := range d.Ports {
		p := &d.Ports[i]
		sign, role := portSign(s, p)
		use := "apps"
		if p.IsMgmt {
			use = "mgmt " + strconv.Itoa(int(p.Cost))
		}
		address := widget.Text(style.Dim, "no address")
		switch a := p.Addrs(); {
		case !p.Up:
			address = widget.Text(style.Warn, "no link")
		case len(a) > 0:
			address = widget.Text(style.Accent, a[0].String())
			if len(a) > 1 {
				address = address.Put(style.Dim, " +"+strconv.Itoa(len(a)-1))
			}
		case !p.IsL3Port:
			address = widget.Text(style.Dim, "layer 2")
		}
		tb.Rows = append(tb.Rows, []widget.Line{
			widget.Text(role, sign+" ").Put(style.Strong, or(p.Logicallabel, p.IfName)),
			widget.Text(style.Plain, p.IfName), widget.Text(style.Dim, use), address})
	}
	return tb
}

func portSign(s *Stage, p *network.NetworkPortStatus) (string, style.Role) {
	switch {
	case p.HasError() && p.ErrorSeverity != entity.SeverityWarning, p.InvalidConfig:
		return s.Theme.Cross, style.Bad
	case p.HasError(), !p.Up, p.LastError != "" && !p.Working():
		return s.Theme.Warn, style.Warn
	case p.IsL3Port && len(p.Addrs()) == 0:
		return s.Theme.Part, style.Busy
	}
	return s.Theme.On, style.Good
}

func (n *Network) configs(s *Stage) widget.Table {
	tb := widget.Table{Columns: []widget.Column{{Title: "#", Right: true},
		{Title: "from", Grow: true, Max: 28},
		{Title: "state"}, {Title: "priority", Drop: 1}}}
	l := dpcl(s)
	if l == nil {
		return tb
	}
	for i := range l.PortConfigList {
		c := &l.PortConfigList[i]
		mark := widget.Text(style.Dim, strconv.Itoa(i))
		if i == l.CurrentIndex {
			mark = widget.Text(style.Good, s.Theme.On+strconv.Itoa(i))
		}
		tb.Rows = append(tb.Rows, []widget.Line{mark, widget.Text(style.Strong, c.DPCKey),
			dpcState(s, c.State),
			widget.Text(style.Dim, c.TimePriority.UTC().Format("2006-01-02 15:04"))})
	}
	return tb
}

// dpcState is how far the verification of a port configuration is, in words.
func dpcState(s *Stage, st network.DPCState) widget.Line {
	switch st {
	case network.DPCNone:
		return widget.Text(style.Dim, "untested")
	case network.DPCSuccess:
		return widget.Text(style.Good, s.Theme.On+" works")
	case network.DPCFail:
		return widget.Text(style.Bad, s.Theme.Cross+" failed")
	case network.DPCFailWithIPAndDNS:
		return widget.Text(style.Warn, s.Theme.Warn+" no controller")
	case network.DPCIPDNSWait:
		return widget.Text(style.Busy, s.Theme.Part+" waits for IP")
	case network.DPCIntfWait:
		return widget.Text(style.Busy, s.Theme.Part+" waits for link")
	case network.DPCRemoteWait:
		return widget.Text(style.Warn, s.Theme.Part+" remote trouble")
	}
	return widget.Text(style.Busy, s.Theme.Part+" "+st.String())
}

func (n *Network) instances(s *Stage) widget.Table {
	tb := widget.Table{Columns: []widget.Column{{Title: "name", Grow: true, Max: 28},
		{Title: "type"}, {Title: "bridge", Drop: 1}, {Title: "by", Drop: 2}}}
	for _, x := range source.All(s.State, network.InstanceStatus) {
		sign := widget.Text(style.Good, s.Theme.On+" ")
		switch {
		case x.NetworkErr.HasError():
			sign = severity(s, x.NetworkErr.ErrorSeverity)
		case !x.Activated:
			sign = widget.Text(style.Busy, s.Theme.Part+" ")
		}
		tb.Rows = append(tb.Rows, []widget.Line{sign.Put(style.Strong, or(x.DisplayName, x.UUID)),
			widget.Text(style.Plain, x.Type.String()), widget.Text(style.Accent, x.BridgeName),
			widget.Text(style.Plain, x.SelectedUplink)})
	}
	return tb
}

// details tells all about what is selected in the pane that has the keys.
func (n *Network) details(s *Stage, width, height int) widget.Block {
	w, h := widget.Inner(width, height)
	f := facts{wide: min(13, w/3), width: w}
	title := "Details"
	at := n.picks[n.focus].In(n.keys(s)[n.focus])
	switch {
	case at < 0:
		f.out = append(f.out, widget.Text(style.Dim, "nothing is selected"))
	case n.focus == ports:
		p := &dns(s).Ports[at]
		title = "Port " + or(p.Logicallabel, p.IfName)
		portFacts(s, &f, p)
	case n.focus == configs:
		c := &dpcl(s).PortConfigList[at]
		title = "Port configuration " + c.DPCKey
		configFacts(s, &f, c)
	case n.focus == instances:
		x := source.All(s.State, network.InstanceStatus)[at]
		title = "Network instance " + or(x.DisplayName, x.UUID)
		instanceFacts(s, &f, x)
	}
	body := n.detail.Block(f.out, w, h, s.Theme)
	return widget.Box{Title: title, Note: n.detail.Note(s.Theme)}.Render(body, width, height, s.Theme)
}
