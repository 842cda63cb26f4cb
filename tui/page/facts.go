package page

import (
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// facts is a list of labels and what they say.
type facts struct {
	wide  int // of the labels
	width int // of all
	out   widget.Block
}

// add writes a fact that is cut where it is too long; an empty one is left out.
func (f *facts) add(label string, l widget.Line) {
	if l.Width() > 0 {
		f.out = append(f.out, widget.Text(style.Dim, label).Put(style.Plain, " ").Pad(f.wide).Join(l))
	}
}

// say writes a fact of words in one role.
func (f *facts) say(label string, r style.Role, text string) { f.add(label, widget.Text(r, text)) }

// tell writes a fact that is wrapped where it is too long.
func (f *facts) tell(label string, r style.Role, text string) {
	if text != "" {
		f.out = append(f.out, widget.Field(label, f.wide, r, text, f.width)...)
	}
}

// head writes a heading, with a line left free before it.
func (f *facts) head(text string) {
	if len(f.out) > 0 {
		f.out = append(f.out, widget.Line{})
	}
	f.out = append(f.out, widget.Text(style.Title, text))
}
