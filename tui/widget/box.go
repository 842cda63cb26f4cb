package widget

import (
	"strings"

	"github.com/evetwin/evetwin/tui/style"
)

// Box is a pane with a border, a title, and something at the right of it.
type Box struct {
	Title string
	Note  Line // at the right of the title
	Foot  Line // at the right of the lower border
	Focus bool // has the keys
}

// Inner is the size inside of a box of the given size.
func Inner(width, height int) (int, int) { return max(0, width-4), max(0, height-2) }

// Render draws the box around the block, exactly width by height. Too small for a border, it is the
// block alone.
func (b Box) Render(body Block, width, height int, t *style.Theme) Block {
	if width < 5 || height < 3 {
		return body.Sized(width, height, t)
	}
	edge, title := style.Border, style.Title
	if b.Focus {
		edge, title = style.Focus, style.Focus
	}
	out := make(Block, 0, height)
	top := Text(edge, t.NW+t.H+" ").Put(title, b.Title).Put(style.Plain, " ")
	out = append(out, rule(top, b.Note, t.NE, edge, width, t))
	w, h := Inner(width, height)
	for _, l := range body.Sized(w, h, t) {
		out = append(out, Text(edge, t.V).Put(style.Plain, " ").Join(l).
			Put(style.Plain, " ").Put(edge, t.V))
	}
	return append(out, rule(Text(edge, t.SW), b.Foot, t.SE, edge, width, t))
}

// rule ends a border: what it begins with, a line, what stands at its right, the corner.
func rule(left, right Line, corner string, edge style.Role, width int, t *style.Theme) Line {
	room := width - 2
	if left.Width() > room {
		return left.Fit(width-1, t).Put(edge, corner)
	}
	if right.Width() > 0 {
		right = Text(style.Plain, " ").Join(right).Put(style.Plain, " ")
	}
	if left.Width()+right.Width() > room {
		right = Line{}
	}
	fill := room - left.Width() - right.Width()
	if right.Width() == 0 {
		fill++
	}
	left = left.Put(edge, strings.Repeat(t.H, max(0, fill)))
	if right.Width() > 0 {
		right = right.Put(edge, t.H)
	}
	return left.Join(right).Put(edge, corner)
}
