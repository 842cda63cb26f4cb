// Package style says how the terminal looks: what a piece of text is (Role), and how a Theme
// shows that on a terminal with no, 8 or 256 colours and with the signs its font has. Nothing is
// told by colour alone.
package style

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Role is what a piece of text is.
type Role uint8

// Roles.
const (
	Plain  Role = iota
	Dim         // what matters less: labels, units, old things
	Strong      // names
	Title       // of a pane
	Border      // of a pane
	Focus       // title and border of the pane that has the keys
	Accent      // identities: addresses, versions, keys of rows
	Good        // works
	Busy        // under way
	Warn        // may need somebody
	Bad         // broken
	Fresh       // changed a moment ago
	Brand       // the program's name
	Tab         // a page that is not shown
	TabOn       // the page that is shown
	Hint        // a key that can be pressed
	Alert       // a line that nobody should miss
	roles
)

// Theme is how roles look on one terminal. Its fields are for reading.
type Theme struct {
	Glyphs
	open   [roles]string
	chosen [roles]string // on the line that is selected
	dimmed [roles]string // on the selected line of a pane without the keys
}

// Depth is how many colours a terminal has.
type Depth uint8

// Depths.
const (
	Bare   Depth = iota // not even bold: text for files and tests
	Mono                // bold and reverse
	Eight               // the eight colours of every terminal
	Colour              // 256 colours
)

// New makes a theme.
func New(d Depth, g Glyphs) *Theme {
	t := &Theme{Glyphs: g}
	for r := range roles {
		look := looks[r][d]
		t.open[r] = sgr(look)
		switch d {
		case Bare:
		case Colour:
			t.chosen[r] = sgr(join(look, "48;5;24"))
			t.dimmed[r] = sgr(join(look, "48;5;237"))
			if r == Dim || r == Border {
				t.chosen[r], t.dimmed[r] = sgr("38;5;252;48;5;24"), sgr("38;5;250;48;5;237")
			}
		default:
			t.chosen[r], t.dimmed[r] = sgr("7;1"), sgr("7")
		}
	}
	return t
}

// looks are the parameters of SGR for each role, by depth.
var looks = [roles][4]string{
	Plain:  {},
	Dim:    {"", "2", "2", "38;5;245"},
	Strong: {"", "1", "1", "1"},
	Title:  {"", "1", "1;36", "1;38;5;75"},
	Border: {"", "2", "2", "38;5;240"},
	Focus:  {"", "1", "1;36", "1;38;5;81"},
	Accent: {"", "", "36", "38;5;117"},
	Good:   {"", "", "32", "38;5;78"},
	Busy:   {"", "", "36", "38;5;81"},
	Warn:   {"", "1", "33", "38;5;221"},
	Bad:    {"", "1", "1;31", "1;38;5;203"},
	Fresh:  {"", "1;4", "1;33", "1;38;5;228"},
	Brand:  {"", "1", "1;35", "1;38;5;141"},
	Tab:    {"", "", "", "38;5;250"},
	TabOn:  {"", "7;1", "7;1", "1;38;5;231;48;5;24"},
	Hint:   {"", "1", "1", "1;38;5;252"},
	Alert:  {"", "7;1", "1;37;41", "1;38;5;231;48;5;160"},
}

func sgr(look string) string {
	if look == "" {
		return ""
	}
	return "\x1b[" + look + "m"
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ";" + b
}

// Mark is how a line is marked.
type Mark uint8

// Marks of a line.
const (
	Unmarked Mark = iota
	Chosen        // selected, in the pane that has the keys
	Parked        // selected, in another pane
)

// Paint writes text in its role. The text must be clean: package widget sees to that.
func (t *Theme) Paint(b *strings.Builder, r Role, m Mark, text string) {
	if text == "" {
		return
	}
	if t.Plain7 {
		text = sevenBits(text)
	}
	open := t.open[r]
	switch m {
	case Chosen:
		open = t.chosen[r]
	case Parked:
		open = t.dimmed[r]
	case Unmarked:
	}
	if open == "" {
		b.WriteString(text)
		return
	}
	b.WriteString(open)
	b.WriteString(text)
	b.WriteString("\x1b[0m")
}

// sevenBits is the text for a terminal that does not speak UTF-8, in which the second byte of a
// letter may be a control character.
func sevenBits(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r <= '~':
			b.WriteRune(r)
		case strings.ContainsRune("↑↓←→", r):
			b.WriteByte(map[rune]byte{'↑': '^', '↓': 'v', '←': '<', '→': '>'}[r])
		default:
			b.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return b.String()
}
