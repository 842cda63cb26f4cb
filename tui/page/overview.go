package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// Overview shows the device at a glance: its agents, its state, its applications, what is wrong.
type Overview struct {
	pick Pick
	view widget.View
}

// Name is the page's name.
func (*Overview) Name() string { return "Overview" }

// Hints are the page's keys.
func (*Overview) Hints(*Stage) []Hint { return []Hint{{"↑↓", "agent"}} }

// Press moves the selection.
func (o *Overview) Press(s *Stage, key string) bool {
	return o.pick.Press(key, agentNames(s.State), o.view.Height)
}

// Actions are for the selected agent and the device.
func (o *Overview) Actions(s *Stage) []source.Request {
	var out []source.Request
	if names := agentNames(s.State); len(names) > 0 {
		out = append(out, source.Request{Verb: source.RestartAgent,
			Target: names[o.pick.In(names)]})
	}
	out = append(out, source.Request{Verb: source.Reboot}, source.Request{Verb: source.PowerOff})
	if who := source.Get(s.State, node.Onboarding, entity.Global); who == nil || who.DeviceUUID == "" {
		out = append(out, source.Request{Verb: source.SetServer})
	}
	return out
}

func agentNames(s *source.State) []string {
	out := make([]string, len(s.Agents))
	for i := range s.Agents {
		out[i] = s.Agents[i].Name
	}
	return out
}

// Render draws the page.
func (o *Overview) Render(s *Stage, width, height int) widget.Block {
	switch {
	case width >= 150 && height >= 30:
		return o.wide(s, width, height)
	case width >= 72 && height >= 16:
		left := width * 42 / 100
		return widget.Beside(o.agents(s, left, height),
			stack(s, width-left, height, o.device, o.apps, o.errors))
	}
	return stack(s, width, height, o.device, o.errors, o.apps)
}

// wide uses a large terminal: more columns, milestones, ports, and the end of the log.
func (o *Overview) wide(s *Stage, width, height int) widget.Block {
	left, middle := width*38/100, width*31/100
	right := width - left - middle
	top := min(max(len(s.State.Agents)+3, 26+len(s.State.Marks)), height-8)
	out := widget.Beside(o.agents(s, left, top),
		stack(s, middle, top, o.device, o.marks),
		stack(s, right, top, o.apps, o.ports, o.errors))
	return append(out, tailOfLog(s, width, height-top)...)
}

// ports lists the ports.
func (o *Overview) ports(s *Stage, width, height int) widget.Block {
	tb := portTable(s)
	tb.Cursor, tb.Bare = -1, true
	w, _ := widget.Inner(width, height)
	n := max(1, len(tb.Rows))
	return widget.Box{Title: "Ports"}.Render(tb.Render(&widget.View{}, w, n, s.Theme), width,
		min(height, n+2), s.Theme)
}

// pane draws one thing of the page; told a height, it returns at most so much.
type pane func(s *Stage, width, height int) widget.Block

// stack puts panes below each other; the last gets what is left.
func stack(s *Stage, width, height int, panes ...pane) widget.Block {
	var out widget.Block
	for i, p := range panes {
		rest := height - len(out)
		if rest <= 0 {
			break
		}
		b := p(s, width, rest)
		if i == len(panes)-1 || len(b) > rest {
			b = b.Sized(width, rest, s.Theme)
		}
		out = append(out, b...)
	}
	return out.Sized(width, height, s.Theme)
}

// agents lists the agents and how busy they are.
func (o *Overview) agents(s *Stage, width, height int) widget.Block {
	tb := widget.Table{Cursor: o.pick.In(agentNames(s.State)), Mark: style.Chosen,
		Columns: []widget.Column{{Title: "agent", Grow: true}, {Title: "turns", Right: true},
			{Title: "last", Right: true, Drop: 1}}}
	bars := width >= 64
	if bars {
		tb.Columns = append(tb.Columns, widget.Column{Title: "starts", Right: true, Drop: 2},
			widget.Column{Title: "turns in the last 24 s", Drop: 3})
	}
	up := s.State.Up(s.Now)
	ill := 0
	for i := range s.State.Agents {
		a := &s.State.Agents[i]
		sign, role := healthSign(s, a)
		if role != style.Good {
			ill++
		}
		name := widget.Text(role, sign+" ").Put(style.Strong, a.Name)
		if a.Starts > 1 && !bars {
			name = name.Put(style.Warn, " x"+strconv.FormatUint(a.Starts, 10))
		}
		last := "never"
		if a.Last > 0 {
			last = span(up - a.Last)
		}
		row := []widget.Line{name, widget.Text(style.Plain, strconv.FormatUint(a.Turns, 10)),
			widget.Text(style.Dim, last)}
		if bars {
			role := style.Dim
			if a.Starts > 1 {
				role = style.Warn
			}
			row = append(row, widget.Text(role, strconv.FormatUint(a.Starts, 10)),
				widget.Spark(floats(a.Pulse.Last(24)), 4, 24, style.Busy, s.Theme))
		}
		tb.Rows = append(tb.Rows, row)
	}
	w, h := widget.Inner(width, height)
	body := tb.Render(&o.view, w, h, s.Theme)
	note := widget.Text(style.Good, count(len(tb.Rows), "agent"))
	if ill > 0 {
		note = widget.Text(style.Warn, strconv.Itoa(ill)+" of "+count(len(tb.Rows), "agent")+
			" not well")
	}
	return widget.Box{Title: "Agents", Note: note, Foot: o.view.Note(s.Theme), Focus: true}.
		Render(body, width, height, s.Theme)
}

func healthSign(s *Stage, a *source.Life) (string, style.Role) {
	switch {
	case a.Health == source.Stopped:
		return s.Theme.Cross, style.Bad
	case a.Health == source.Slow:
		return s.Theme.Warn, style.Warn
	case a.Last == 0 && a.Turns == 0:
		return s.Theme.Off, style.Dim
	}
	return s.Theme.On, style.Good
}

func floats(list []int) []float64 {
	out := make([]float64, len(list))
	for i, n := range list {
		out[i] = float64(n)
	}
	return out
}

// errors lists what is wrong, newest first: with all there is to say if there is room for it, else
// a line for each.
func (o *Overview) errors(s *Stage, width, height int) widget.Block {
	w, h := widget.Inner(width, height)
	body := troubles(s, w, inFull)
	for how := inFull + 1; how <= inALine && len(body) > h; how++ {
		body = troubles(s, w, how)
	}
	n := len(s.State.Faults())
	note := widget.Text(style.Bad, strconv.Itoa(n))
	if len(body) == 0 {
		note = widget.Line{}
		body = widget.Block{widget.Text(style.Good, s.Theme.On+" none")}
	}
	if len(body) > h && h > 0 {
		body[h-1] = widget.Text(style.Dim, fmt.Sprintf("%s and %d more", s.Theme.Ellipsis,
			len(body)-h+1))
	}
	return widget.Box{Title: "Errors", Note: note}.Render(body, width, max(height, 0), s.Theme)
}

// Ways to tell what is wrong.
const (
	inFull  = iota // who, since when, what, and what then
	inShort        // who and what
	inALine        // as much of that as goes on a line
)

// troubles are the agents that are not well and the errors in rows.
func troubles(s *Stage, width, how int) widget.Block {
	var body widget.Block
	for i := range s.State.Agents {
		if a := &s.State.Agents[i]; a.Health != source.Running {
			sign, role := healthSign(s, a)
			head := widget.Text(role, sign+" ").Put(style.Strong, a.Name).
				Put(style.Plain, " "+a.Health.String())
			body = append(body, trouble(head, a.Why, "", "", width, how, s)...)
		}
	}
	for _, f := range s.State.Faults() {
		head := severity(s, f.Severity).Put(style.Strong, f.Object)
		body = append(body, trouble(head, f.Text, f.Retry, ago(f.Since, s.State.Wall(s.Now)), width,
			how, s)...)
	}
	return body
}

// trouble is one thing that is wrong.
func trouble(head widget.Line, text, retry, when string, width, how int, s *Stage) widget.Block {
	switch how {
	case inALine:
		return widget.Block{head.Put(style.Dim, ": ").Put(style.Plain, text)}
	case inShort:
		text = widget.Clean(text)
		head = head.Put(style.Dim, ": ")
		lines := widget.Wrap(style.Plain, text, max(8, width-head.Width()))
		rest := indented(style.Plain, strings.TrimPrefix(text, lines[0].String()), width)
		if len(lines) == 1 {
			rest = nil
		}
		return append(widget.Block{head.Join(lines[0])}, rest...)
	}
	if when != "" {
		head = head.Fit(max(0, width-len(when)-1), s.Theme).Put(style.Plain, " ").
			Put(style.Dim, when)
	}
	body := append(widget.Block{head}, indented(style.Plain, text, width)...)
	if retry != "" {
		body = append(body, indented(style.Dim, retry, width)...)
	}
	return body
}

// indented is a text below a line that begins with a sign.
func indented(r style.Role, text string, width int) widget.Block {
	b := widget.Wrap(r, strings.TrimSpace(text), width-2)
	for i := range b {
		b[i] = widget.Text(style.Plain, "  ").Join(b[i])
	}
	return b
}

// marks lists the milestones.
func (o *Overview) marks(s *Stage, width, height int) widget.Block {
	var body widget.Block
	w, h := widget.Inner(width, height)
	for _, m := range s.State.Marks {
		body = append(body, widget.Text(style.Good, s.Theme.On+" ").
			Put(style.Dim, clock(m.At)+" ").Put(style.Strong, m.Name+" ").Put(style.Accent, m.Text))
	}
	if len(body) == 0 {
		body = append(body, widget.Text(style.Dim, "none yet"))
	}
	rate := widget.Spark(floats(s.State.ChangeRate.Last(w)), 10, w, style.Busy, s.Theme)
	if h > len(body)+3 {
		body = append(body, widget.Line{}, widget.Text(style.Dim, "row changes per second, "+
			strconv.Itoa(s.State.Changes)+" in all"), rate)
	}
	return widget.Box{Title: "Milestones"}.Render(body, width, height, s.Theme)
}
