package widget

import (
	"strconv"

	"github.com/evetwin/evetwin/tui/style"
)

// View is the part of a long list that shows.
type View struct {
	Top int
	// Rows and Height are as of the last Show.
	Rows, Height int
}

// Show moves the view as little as possible so that row at is in it; below 0 it only stays inside.
func (v *View) Show(at, rows, height int) {
	v.Rows, v.Height = rows, height
	if at >= 0 && height > 0 {
		if at < v.Top {
			v.Top = at
		}
		if at >= v.Top+height {
			v.Top = at - height + 1
		}
	}
	v.Top = max(0, min(v.Top, rows-max(height, 1)))
}

// Scroll moves the view by lines.
func (v *View) Scroll(by int) { v.Top = max(0, min(v.Top+by, v.Rows-max(v.Height, 1))) }

// Note tells which part of the list shows, empty when all of it does.
func (v *View) Note(t *style.Theme) Line {
	if v.Rows <= v.Height {
		return Line{}
	}
	up, down := " ", " "
	if v.Top > 0 {
		up = t.Up
	}
	if v.Top+v.Height < v.Rows {
		down = t.Down
	}
	return Text(style.Dim, up+down+" "+strconv.Itoa(min(v.Top+v.Height, v.Rows))+"/"+
		strconv.Itoa(v.Rows))
}

// Block shows a part of a block.
func (v *View) Block(b Block, width, height int, t *style.Theme) Block {
	v.Show(-1, len(b), height)
	return b[min(v.Top, len(b)):].Sized(width, height, t)
}
