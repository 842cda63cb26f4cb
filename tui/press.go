package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"github.com/evetwin/evetwin/tui/page"
)

// press takes a key: what lies over the page first, then the page while it wants words, then the
// keys that work everywhere, then the page.
func (m *model) press(k tea.KeyMsg) tea.Cmd {
	key := k.String()
	if key == "ctrl+c" {
		return tea.Quit
	}
	p := m.pages[m.at]
	switch t, ok := p.(page.Typing); {
	case m.prompt != nil:
		return m.pressPrompt(k)
	case m.menu != nil:
		return m.pressMenu(key)
	case m.help:
		m.help = false
		if key == "q" {
			return tea.Quit
		}
		return nil
	case ok && t.Types():
		for _, key := range words(k) {
			p.Press(&m.stage, key)
		}
		return nil
	}
	switch key {
	case "q":
		return tea.Quit
	case "?":
		m.help = true
	case "1", "2", "3", "4", "5":
		return m.turn(int(key[0] - '1'))
	case "tab":
		return m.turn((m.at + 1) % len(m.pages))
	case "shift+tab":
		return m.turn((m.at + len(m.pages) - 1) % len(m.pages))
	case "a":
		m.openMenu()
	default:
		p.Press(&m.stage, key)
	}
	return nil
}

// turn shows another page.
func (m *model) turn(to int) tea.Cmd {
	m.at = to
	return m.blink()
}

// words are the keys of a message: a paste comes as one message of many letters.
func words(k tea.KeyMsg) []string {
	if k.Type != tea.KeyRunes {
		return []string{k.String()}
	}
	var out []string
	for _, r := range k.Runes {
		out = append(out, string(r))
	}
	return out
}
