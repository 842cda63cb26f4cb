package widget

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/evetwin/evetwin/tui/style"
)

// maxWrapped bounds the lines that one text becomes.
const maxWrapped = 500

// Wrap breaks text into lines of at most width columns, at blanks where there are any; line
// breaks in it stay.
func Wrap(role style.Role, text string, width int) Block {
	var out Block
	if width <= 0 {
		return nil
	}
	for _, part := range strings.Split(head(text, maxWrapped*4*width), "\n") {
		for _, l := range strings.Split(ansi.Wrap(Clean(part), width, "/,"), "\n") {
			if len(out) == maxWrapped {
				return out
			}
			out = append(out, Text(role, strings.TrimRight(l, " ")))
		}
	}
	return out
}

// Field is a label and what it says, wrapped beside it; wide is the room of the label, with a
// blank.
func Field(label string, wide int, role style.Role, text string, width int) Block {
	lines := Wrap(role, text, width-wide)
	for i := range lines {
		head := Line{}
		if i == 0 {
			head = Text(style.Dim, label).Put(style.Plain, " ")
		}
		lines[i] = head.Pad(wide).Join(lines[i])
	}
	return lines
}
