package tui

import (
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// helpKeys are all keys, in the order in which they are explained.
var helpKeys = [][2]string{
	{"1-5, tab", "the pages; shift+tab goes back"},
	{"↑ ↓, k j", "select or scroll"},
	{"← →, h l", "other pane; log: other agent"},
	{"pgup pgdn", "a page up or down; details"},
	{"g G", "to the beginning, to the end"},
	{"enter, esc", "into a row, out of it"},
	{"/", "search: topics, rows, log"},
	{"space", "log: follow or hold"},
	{"l", "log: least level"},
	{"e", "topics: show or hide what is empty"},
	{"a", "act: ask the device for something"},
	{"q", "quit; the device goes on"},
}

// helpBlock explains the keys and signs.
func (m *model) helpBlock() widget.Block {
	t := m.stage.Theme
	var body widget.Block
	for _, k := range helpKeys {
		body = append(body, widget.Text(style.Hint, k[0]).Pad(12).Put(style.Plain, k[1]))
	}
	body = append(body, widget.Line{},
		widget.Text(style.Good, t.On+" works").Put(style.Plain, "   ").
			Put(style.Busy, t.Part+" under way").Put(style.Plain, "   ").
			Put(style.Warn, t.Warn+" careful").Put(style.Plain, "   ").
			Put(style.Bad, t.Cross+" broken"))
	w := min(m.width, 56)
	return widget.Box{Title: "Keys", Focus: true, Foot: widget.Text(style.Dim, "any key closes")}.
		Render(body, w, min(len(body)+2, max(0, m.height-2)), t)
}
