package page

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// Stage is what a page draws from.
type Stage struct {
	State *source.State
	Theme *style.Theme
	// Now is the local time.
	Now time.Time
	// Lit is whether the device's light is on right now.
	Lit bool
}

// Hint is a key and what it does, for the line at the bottom.
type Hint struct{ Key, Does string }

// Page is one screen.
type Page interface {
	// Name stands on the page's tab.
	Name() string
	// Hints are the keys that matter now.
	Hints(s *Stage) []Hint
	// Press takes a key by bubbletea's name of it, and reports whether the page has a use for it.
	Press(s *Stage, key string) bool
	// Render draws the page, exactly width by height.
	Render(s *Stage, width, height int) widget.Block
}

// Typing is implemented by pages that take whole words at times: while Types reports true, every
// key goes to the page.
type Typing interface {
	Types() bool
}

// Acting is implemented by pages on which something can be asked for.
type Acting interface {
	// Actions are the requests that make sense for what is selected.
	Actions(s *Stage) []source.Request
}

// Pick is the selected row of a list. It stays with its key when rows come and go.
type Pick struct {
	key string
	at  int
}

// In is the place of the selection in a list of keys, -1 in an empty one.
func (p *Pick) In(keys []string) int {
	if len(keys) == 0 {
		return -1
	}
	if i := slices.Index(keys, p.key); i >= 0 {
		p.at = i
		return i
	}
	p.at = max(0, min(p.at, len(keys)-1))
	p.key = keys[p.at]
	return p.at
}

// Set selects a row by key.
func (p *Pick) Set(key string) { p.key = key }

// Press moves the selection by the keys that all lists know; jump is a page's height.
func (p *Pick) Press(key string, keys []string, jump int) bool {
	at := p.In(keys)
	to := at
	switch key {
	case "up", "k":
		to--
	case "down", "j":
		to++
	case "pgup", "ctrl+b":
		to -= max(1, jump)
	case "pgdown", "ctrl+f":
		to += max(1, jump)
	case "home", "g":
		to = 0
	case "end", "G":
		to = len(keys) - 1
	default:
		return false
	}
	if at >= 0 {
		p.at = max(0, min(to, len(keys)-1))
		p.key = keys[p.at]
	}
	return true
}

// scroll moves a view by the keys that turn pages, and reports whether it was one.
func scroll(v *widget.View, key string) bool {
	switch key {
	case "pgup", "ctrl+b":
		v.Scroll(-max(1, v.Height-1))
	case "pgdown", "ctrl+f":
		v.Scroll(max(1, v.Height-1))
	default:
		return false
	}
	return true
}

// markOf is how the selected line of a pane is marked.
func markOf(focus bool) style.Mark {
	if focus {
		return style.Chosen
	}
	return style.Parked
}
