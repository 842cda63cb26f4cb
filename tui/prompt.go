package tui

import (
	"strings"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// maxTyped bounds what is typed, in bytes.
const maxTyped = 1000

// prompt takes the words that a request needs.
type prompt struct {
	request source.Request
	text    string
}

// pressPrompt takes keys while words are typed.
func (m *model) pressPrompt(k tea.KeyMsg) tea.Cmd {
	p := m.prompt
	for _, key := range words(k) {
		switch {
		case key == "enter":
			m.prompt = nil
			r := p.request
			r.Text = strings.TrimSpace(p.text)
			m.say(r.String() + " ...")
			return m.ask(r)
		case key == "esc":
			m.prompt = nil
			return nil
		case key == "backspace":
			_, n := utf8.DecodeLastRuneInString(p.text)
			p.text = p.text[:len(p.text)-n]
		case key == "ctrl+u":
			p.text = ""
		case utf8.RuneCountInString(key) == 1 && len(p.text) < maxTyped:
			p.text += key
		}
	}
	return nil
}

// block draws the prompt.
func (p *prompt) block(t *style.Theme, width int) widget.Block {
	usage := "host, or host:port"
	if p.request.Verb == source.SetPort {
		usage = source.PortUsage
	}
	width = min(width, 76)
	inside, _ := widget.Inner(width, 1)
	body := widget.Wrap(style.Dim, usage, inside)
	body = append(body, widget.Line{})
	// No line breaks in the middle of what is typed: the end of it is what matters.
	shown := p.text
	for widget.Width(shown)+1 > inside {
		_, n := utf8.DecodeRuneInString(shown)
		shown = shown[n:]
	}
	body = append(body, widget.Text(style.Strong, shown).Put(style.Hint, "_"))
	box := widget.Box{Title: menuText(p.request), Focus: true,
		Foot: widget.Text(style.Dim, "enter does it, esc does not, ctrl+u clears")}
	return box.Render(body, width, len(body)+2, t)
}

// menuText is a request as it is offered.
func menuText(r source.Request) string {
	if r.NeedsText() {
		r.Text = "..."
	}
	return r.String()
}
