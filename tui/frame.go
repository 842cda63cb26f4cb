package tui

import (
	"github.com/evetwin/evetwin/tui/page"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// View draws the terminal: a line of tabs, the page, a line of keys, and what lies over them.
func (m *model) View() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	return m.draw().Paint(m.stage.Theme)
}

func (m *model) draw() widget.Block {
	t := m.stage.Theme
	out := widget.Block{m.tabs()}
	alert := m.alert()
	inside := m.height - 2
	if alert.Width() > 0 {
		inside--
	}
	if inside > 0 {
		body := m.pages[m.at].Render(&m.stage, m.width, inside)
		switch {
		case m.help:
			body = over(body, m.helpBlock(), m.width, t)
		case m.prompt != nil:
			body = over(body, m.prompt.block(t, m.width), m.width, t)
		case m.menu != nil:
			body = over(body, m.menu.block(t, m.width), m.width, t)
		}
		out = append(out, body...)
	}
	if alert.Width() > 0 {
		out = append(out, alert.Fit(m.width, t).In(style.Alert))
	}
	out = append(out, m.keys())
	return out.Sized(m.width, m.height, t)
}

// tabs is the line at the top: the pages, and at its right the device.
func (m *model) tabs() widget.Line {
	l := widget.Line{}.Put(style.Plain, " ")
	if m.width >= 100 {
		l = l.Put(style.Brand, "evetwin").Put(style.Plain, "  ")
	}
	for i, p := range m.pages {
		role := style.Tab
		if i == m.at {
			role = style.TabOn
		}
		name := " " + string(rune('1'+i)) + " " + p.Name() + " "
		if m.width < 72 && i != m.at {
			name = " " + string(rune('1'+i)) + " "
		}
		l = l.Put(role, name)
	}
	s := &m.stage
	right := page.State(s)
	if wall := s.State.Wall(s.Now); !wall.IsZero() {
		right = right.Put(style.Dim, "  ").Put(style.Plain, wall.UTC().Format("15:04:05Z"))
	}
	if m.width >= 100 {
		right = widget.Text(style.Strong, s.State.Device.Name).Put(style.Plain, "  ").Join(right)
	}
	right = right.Put(style.Plain, " ")
	if room := m.width - right.Width(); room > l.Width() {
		return l.Pad(room).Join(right)
	}
	return l.Fit(m.width, s.Theme)
}

// keys is the line at the bottom: the page's keys as far as there is room, then those of all pages.
func (m *model) keys() widget.Line {
	hints := m.pages[m.at].Hints(&m.stage)
	common := widget.Line{}
	if t, ok := m.pages[m.at].(page.Typing); !ok || !t.Types() {
		if _, acts := m.pages[m.at].(page.Acting); acts && m.mayAct() {
			common = hint(common, page.Hint{Key: "a", Does: "act"})
		}
		common = hint(common, page.Hint{Key: "1-5", Does: "page"})
		common = hint(common, page.Hint{Key: "?", Does: "help"})
		common = hint(common, page.Hint{Key: "q", Does: "quit"})
	}
	l := widget.Line{}
	for _, h := range hints {
		if longer := hint(l, h); longer.Width()+common.Width() <= m.width {
			l = longer
		}
	}
	return l.Pad(m.width-common.Width()).Join(common).Fit(m.width, m.stage.Theme)
}

func hint(l widget.Line, h page.Hint) widget.Line {
	return l.Put(style.Plain, " ").Put(style.Hint, h.Key).Put(style.Dim, " "+h.Does+" ")
}

// alert is a line that nobody should miss, empty when there is nothing to say.
func (m *model) alert() widget.Line {
	s := m.stage.State
	switch {
	case s.Link.Lost:
		return widget.Text(style.Alert, " connection lost, trying again every 2 s: "+s.Link.Why)
	case m.trouble != "":
		return widget.Text(style.Alert, " the device is gone: "+m.trouble)
	case m.notice != "":
		return widget.Text(style.Alert, " "+m.notice)
	case m.ended:
		return widget.Text(style.Alert, " the device has stopped; what is shown is how it was")
	}
	return widget.Line{}
}

// over lays a block over the middle of another.
func over(body, top widget.Block, width int, t *style.Theme) widget.Block {
	if len(top) == 0 {
		return body
	}
	left := max(0, (width-top[0].Width())/2)
	down := max(0, (len(body)-len(top))/2)
	for i, l := range top {
		if down+i < len(body) {
			body[down+i] = widget.Line{}.Pad(left).Join(l).Fit(width, t)
		}
	}
	return body
}
