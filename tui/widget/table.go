package widget

import "github.com/evetwin/evetwin/tui/style"

// Column of a table.
type Column struct {
	Title string
	Right bool // aligned at the right
	// Grow shares what room is left, up to Max, and gives up room first; other columns are as wide
	// as what is in them.
	Grow bool
	// Max bounds the width; 0 is no bound.
	Max int
	// Drop orders what goes when there is no room: the highest first, 0 never.
	Drop int
}

// Table is rows of cells below titles.
type Table struct {
	Columns []Column
	Rows    [][]Line
	// Cursor is the selected row, below 0 for none.
	Cursor int
	// Mark is how the selected row is marked.
	Mark style.Mark
	// Bare leaves the titles out.
	Bare bool
}

// gap is the room between columns.
const gap = 2

// least is what a growing column keeps while other columns can be dropped.
const least = 8

// Render draws the rows that a view shows, exactly width by height. It moves the view so that the
// selected row is in it.
func (tb *Table) Render(v *View, width, height int, t *style.Theme) Block {
	height = max(height, 0)
	body := height
	if !tb.Bare {
		body = max(0, height-1)
	}
	v.Show(tb.Cursor, len(tb.Rows), body)
	last := min(v.Top+body, len(tb.Rows))
	widths := tb.widths(width, v.Top, last)
	var out Block
	if !tb.Bare && height > 0 {
		head := Line{}
		for i, c := range tb.Columns {
			if widths[i] >= 0 {
				head = tb.cell(head, Text(style.Dim, c.Title), i, widths[i], t)
			}
		}
		out = append(out, head)
	}
	for r := v.Top; r < last; r++ {
		l := Line{}
		for i, c := range tb.Rows[r] {
			if widths[i] >= 0 {
				l = tb.cell(l, c, i, widths[i], t)
			}
		}
		l = l.Fit(width, t)
		if r == tb.Cursor {
			l = l.Marked(tb.Mark)
		}
		out = append(out, l)
	}
	return out.Sized(width, height, t)
}

func (tb *Table) cell(l, c Line, i, width int, t *style.Theme) Line {
	if l.Width() > 0 {
		l = l.Pad(l.Width() + gap)
	}
	if tb.Columns[i].Right {
		return l.Join(c.Right(width, t))
	}
	return l.Join(c.Fit(width, t))
}

// widths are the widths of columns; -1 is one that was dropped.
func (tb *Table) widths(width, from, to int) []int {
	w := make([]int, len(tb.Columns))
	for i, c := range tb.Columns {
		if !tb.Bare {
			w[i] = Width(c.Title)
		}
		for _, r := range tb.Rows[from:to] {
			w[i] = max(w[i], r[i].Width())
		}
		if c.Max > 0 {
			w[i] = min(w[i], c.Max)
		}
	}
	for tb.over(w, width) > 0 {
		if !tb.shrink(w, width, least) && !tb.drop(w) && !tb.shrink(w, width, 1) {
			break
		}
	}
	if rest := -tb.over(w, width); rest > 0 {
		tb.spread(w, rest)
	}
	return w
}

// over is by how much the columns are too wide.
func (tb *Table) over(w []int, width int) int {
	sum := -gap
	for _, x := range w {
		if x >= 0 {
			sum += x + gap
		}
	}
	return sum - width
}

// shrink takes room from the widest growing column that has more than the least.
func (tb *Table) shrink(w []int, width, least int) bool {
	widest := -1
	for i, c := range tb.Columns {
		if c.Grow && w[i] > least && (widest < 0 || w[i] > w[widest]) {
			widest = i
		}
	}
	if widest < 0 {
		return false
	}
	w[widest] -= min(w[widest]-least, max(1, tb.over(w, width)/2))
	return true
}

// drop leaves out the column that matters least.
func (tb *Table) drop(w []int) bool {
	worst := -1
	for i, c := range tb.Columns {
		if w[i] >= 0 && c.Drop > 0 && (worst < 0 || c.Drop > tb.Columns[worst].Drop) {
			worst = i
		}
	}
	if worst < 0 {
		return false
	}
	w[worst] = -1
	return true
}

// spread gives room that is left to growing columns.
func (tb *Table) spread(w []int, rest int) {
	n := 0
	for i, c := range tb.Columns {
		if c.Grow && w[i] >= 0 {
			n++
		}
	}
	for i, c := range tb.Columns {
		if !c.Grow || w[i] < 0 {
			continue
		}
		share := rest / n
		if c.Max > 0 {
			share = min(share, c.Max-w[i])
		}
		w[i] += share
		rest -= share
		n--
	}
}
