package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/evetwin/evetwin/tui/page"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

const (
	// noticeFor is how long the outcome of a request shows.
	noticeFor = 8 * time.Second
	// requestFor bounds a request.
	requestFor = time.Minute
)

// menu offers requests.
type menu struct {
	list []source.Request
	at   int
}

// mayAct reports whether requests can be made at all.
func (m *model) mayAct() bool {
	return !m.readOnly && m.stage.State.Link.Write && !m.stage.State.Link.Lost
}

// openMenu offers what the page has; a page without requests has none.
func (m *model) openMenu() {
	p, ok := m.pages[m.at].(page.Acting)
	if !m.mayAct() {
		why := m.stage.State.Link.Why
		if why == "" || m.readOnly {
			why = source.ErrReadOnly.Error()
		}
		m.say(why)
		return
	}
	if !ok {
		m.say("nothing can be asked for on this page")
		return
	}
	if list := p.Actions(&m.stage); len(list) > 0 {
		m.menu = &menu{list: list}
	}
}

func (m *model) say(text string) { m.notice, m.noticeAt = text, m.stage.Now }

func (m *model) pressMenu(key string) tea.Cmd {
	n := len(m.menu.list)
	switch key {
	case "up", "k":
		m.menu.at = (m.menu.at + n - 1) % n
	case "down", "j":
		m.menu.at = (m.menu.at + 1) % n
	case "enter":
		r := m.menu.list[m.menu.at]
		m.menu = nil
		if r.NeedsText() {
			m.prompt = &prompt{r, r.Text}
			return nil
		}
		m.say(r.String() + " ...")
		return m.ask(r)
	case "esc", "q", "a":
		m.menu = nil
	}
	return nil
}

// ask makes a request.
func (m *model) ask(r source.Request) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, requestFor)
		defer cancel()
		err := m.src.Do(ctx, r)
		return doneMsg{r, err, time.Now()}
	}
}

func (m *model) done(d doneMsg) {
	m.tick(d.at)
	what := source.Request{Verb: d.request.Verb, Target: d.request.Target}.String()
	if d.err != nil {
		m.say(what + ": " + d.err.Error())
		return
	}
	m.say(what + ": done")
}

// block draws the menu.
func (u *menu) block(t *style.Theme, width int) widget.Block {
	body := widget.Block{}
	wide := 0
	for i, r := range u.list {
		l := widget.Text(style.Plain, "  "+menuText(r)+"  ")
		if i == u.at {
			l = widget.Text(style.Strong, t.Pointer+" "+menuText(r)+"  ").Marked(style.Chosen)
		}
		wide = max(wide, l.Width())
		body = append(body, l)
	}
	box := widget.Box{Title: "Ask the device to", Focus: true,
		Foot: widget.Text(style.Dim, "enter does it, esc does not")}
	return box.Render(body, min(width, max(wide, 34)+4), len(body)+2, t)
}
