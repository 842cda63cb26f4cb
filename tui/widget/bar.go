package widget

import (
	"strings"

	"github.com/evetwin/evetwin/tui/style"
)

// Bar is how far something is, from 0 to 1, in width columns.
func Bar(done float64, width int, role style.Role, t *style.Theme) Line {
	if width <= 0 {
		return Line{}
	}
	done = max(0, min(1, done))
	fine := len(t.Eighths) + 1
	n := int(done * float64(width*fine))
	full, part := n/fine, n%fine
	l := Text(role, strings.Repeat(t.Full, full))
	if part > 0 {
		l = l.Put(role, t.Eighths[part-1])
		full++
	}
	return l.Put(style.Border, strings.Repeat(t.Empty, width-full))
}

// Spark draws numbers as columns, the newest at the right, in width columns. The highest number
// is as high as can be, unless it is below top.
func Spark(list []float64, top float64, width int, role style.Role, t *style.Theme) Line {
	if width <= 0 {
		return Line{}
	}
	if len(list) > width {
		list = list[len(list)-width:]
	}
	for _, x := range list {
		top = max(top, x)
	}
	var b strings.Builder
	for _, x := range list {
		switch {
		case x <= 0 || top <= 0:
			b.WriteString(" ")
		default:
			b.WriteString(t.Spark[min(int(x/top*float64(len(t.Spark))), len(t.Spark)-1)])
		}
	}
	return Line{}.Pad(width-len(list)).Put(role, b.String())
}
