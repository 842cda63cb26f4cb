package widget

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/evetwin/evetwin/tui/style"
)

// Span is a piece of clean text in one role.
type Span struct {
	text string
	role style.Role
	mark style.Mark
	wide int
}

// maxSpan bounds the text of a span in bytes: more is on no screen.
const maxSpan = 4096

// Of makes a span; the text is cleaned.
func Of(role style.Role, text string) Span {
	text = Clean(head(text, maxSpan))
	return Span{text: text, role: role, wide: Width(text)}
}

// head is the beginning of a text, of at most n bytes.
func head(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// Width is how many columns a text takes.
func Width(text string) int {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return ansi.StringWidth(text)
		}
	}
	return len(text)
}

// Line is a line of spans. The zero value is empty; methods that return a Line leave the receiver
// as it was.
type Line struct {
	spans []Span
	wide  int
}

// Text is a line of one span.
func Text(role style.Role, text string) Line { return Line{}.Put(role, text) }

// Put adds text.
func (l Line) Put(role style.Role, text string) Line {
	if text == "" {
		return l
	}
	return l.add(Of(role, text))
}

func (l Line) add(s Span) Line {
	l.spans = append(l.spans[:len(l.spans):len(l.spans)], s)
	l.wide += s.wide
	return l
}

// Join adds the spans of another line.
func (l Line) Join(o Line) Line {
	l.spans = append(l.spans[:len(l.spans):len(l.spans)], o.spans...)
	l.wide += o.wide
	return l
}

// Pad adds blanks up to a width.
func (l Line) Pad(width int) Line {
	if n := width - l.wide; n > 0 {
		return l.add(Span{text: strings.Repeat(" ", n), wide: n})
	}
	return l
}

// Width is how many columns the line takes.
func (l Line) Width() int { return l.wide }

// Marked marks all that the line has by now.
func (l Line) Marked(m style.Mark) Line {
	return l.each(func(s *Span) { s.mark = m })
}

// In gives all of the line one role.
func (l Line) In(role style.Role) Line {
	return l.each(func(s *Span) { s.role = role })
}

func (l Line) each(do func(*Span)) Line {
	spans := slices.Clone(l.spans)
	for i := range spans {
		do(&spans[i])
	}
	l.spans = spans
	return l
}

// Fit cuts the line, with a sign where it was cut, or pads it, to exactly width columns.
func (l Line) Fit(width int, t *style.Theme) Line {
	if width <= 0 {
		return Line{}
	}
	if l.wide <= width {
		return l.Pad(width)
	}
	out := Line{}
	for _, s := range l.spans {
		if out.wide+s.wide <= width-1 {
			out = out.add(s)
			continue
		}
		if rest := width - 1 - out.wide; rest > 0 {
			s.text = ansi.Truncate(s.text, rest, "")
			s.wide = Width(s.text)
			out = out.add(s)
		}
		return out.add(Span{text: t.Ellipsis, role: s.role, wide: 1}).Pad(width)
	}
	return out
}

// Right fits the line with its text at the right.
func (l Line) Right(width int, t *style.Theme) Line {
	if l.wide >= width {
		return l.Fit(width, t)
	}
	return Line{}.Pad(width - l.wide).Join(l)
}

// String is the line's text without roles.
func (l Line) String() string {
	var b strings.Builder
	for _, s := range l.spans {
		b.WriteString(s.text)
	}
	return b.String()
}

// Block is lines below each other.
type Block []Line

// Sized makes the block exactly width by height.
func (b Block) Sized(width, height int, t *style.Theme) Block {
	height = max(height, 0)
	out := make(Block, height)
	for i := range out {
		if i < len(b) {
			out[i] = b[i].Fit(width, t)
		} else {
			out[i] = Line{}.Fit(width, t)
		}
	}
	return out
}

// Beside puts blocks side by side; each must have its width everywhere.
func Beside(blocks ...Block) Block {
	var out Block
	for _, b := range blocks {
		for i, l := range b {
			if i == len(out) {
				out = append(out, Line{})
			}
			out[i] = out[i].Join(l)
		}
	}
	return out
}

// Paint is the block as a terminal takes it.
func (b Block) Paint(t *style.Theme) string {
	var s strings.Builder
	for i, l := range b {
		if i > 0 {
			s.WriteByte('\n')
		}
		for _, p := range l.spans {
			t.Paint(&s, p.role, p.mark, p.text)
		}
	}
	return s.String()
}
