package widget

import (
	"strings"
	"testing"

	"github.com/evetwin/evetwin/tui/style"
)

func bare() *style.Theme { return style.New(style.Bare, style.Unicode()) }

// measure fails unless a block has exactly the given size.
func measure(t *testing.T, b Block, width, height int) {
	t.Helper()
	if len(b) != height {
		t.Fatalf("%d lines, want %d:\n%s", len(b), height, b.Paint(bare()))
	}
	for i, l := range b {
		if l.Width() != width || Width(l.String()) != width {
			t.Fatalf("line %d is %d wide (%d), want %d: %q", i, l.Width(), Width(l.String()), width, l)
		}
	}
}

func TestFitCutsWideLettersWhole(t *testing.T) {
	l := Text(style.Plain, "検査カメラ")
	for width, want := range map[int]string{10: "検査カメラ", 9: "検査カメ…", 8: "検査カ… ",
		3: "検…", 2: "… ", 1: "…", 0: ""} {
		if got := l.Fit(width, bare()).String(); got != want {
			t.Errorf("in %d columns %q, want %q", width, got, want)
		}
	}
}

func TestBoxesHaveTheirSize(t *testing.T) {
	box := Box{Title: "日本 title", Note: Text(style.Good, "note"), Foot: Text(style.Dim, "foot")}
	body := Block{Text(style.Plain, "one"), Text(style.Plain, strings.Repeat("x", 300))}
	for width := range 40 {
		for height := range 8 {
			measure(t, box.Render(body, width, height, bare()), width, height)
		}
	}
}

func TestTableDropsAndShrinks(t *testing.T) {
	tb := Table{Cursor: 1, Mark: style.Chosen, Columns: []Column{{Title: "name", Grow: true},
		{Title: "address", Drop: 1}, {Title: "n", Right: true}}}
	for _, r := range [][3]string{{"a rather long name", "10.0.0.1", "1"}, {"b", "10.0.0.22", "234"}} {
		tb.Rows = append(tb.Rows, []Line{Text(style.Plain, r[0]), Text(style.Plain, r[1]),
			Text(style.Plain, r[2])})
	}
	for width, want := range map[int]string{
		40: "a rather long name        10.0.0.1     1",
		28: "a rather lo…  10.0.0.1     1",
		20: "a rather long …    1",
		12: "a rath…    1",
	} {
		b := tb.Render(&View{}, width, 3, bare())
		measure(t, b, width, 3)
		if got := strings.TrimRight(b[1].String(), " "); got != want {
			t.Errorf("in %d columns %q, want %q", width, got, want)
		}
	}
	for width := range 30 {
		for height := range 5 {
			measure(t, tb.Render(&View{}, width, height, bare()), width, height)
		}
	}
}

func TestViewFollowsTheSelection(t *testing.T) {
	v := View{}
	for _, c := range []struct{ at, rows, height, top int }{
		{0, 100, 10, 0}, {9, 100, 10, 0}, {10, 100, 10, 1}, {50, 100, 10, 41}, {45, 100, 10, 41},
		{40, 100, 10, 40}, {3, 5, 10, 0}, {-1, 0, 10, 0}, {99, 100, 0, 0},
	} {
		if v.Show(c.at, c.rows, c.height); v.Top != c.top {
			t.Errorf("row %d of %d in %d: top %d, want %d", c.at, c.rows, c.height, v.Top, c.top)
		}
	}
}

func TestBar(t *testing.T) {
	for done, want := range map[float64]string{-1: "░░░░", 0: "░░░░", 0.5: "██░░", 0.54: "██▏░",
		1: "████", 7: "████"} {
		if got := Bar(done, 4, style.Good, bare()).String(); got != want {
			t.Errorf("%v is %q, want %q", done, got, want)
		}
	}
	measure(t, Block{Bar(0.3, 9, style.Good, style.New(style.Bare, style.ASCII()))}, 9, 1)
}

func TestSparkScalesAndFillsFromTheRight(t *testing.T) {
	if got := Spark([]float64{0, 1, 2, 4}, 0, 6, style.Busy, bare()).String(); got != "   ▃▅█" {
		t.Errorf("%q", got)
	}
	if got := Spark([]float64{1, 1}, 4, 2, style.Busy, bare()).String(); got != "▃▃" {
		t.Errorf("%q below its top", got)
	}
}

func TestPaintKeepsMarksApart(t *testing.T) {
	left := Block{Text(style.Good, "ab").Marked(style.Chosen)}
	right := Block{Text(style.Bad, "cd")}
	got := Beside(left, right).Paint(style.New(style.Eight, style.Unicode()))
	if want := "\x1b[7;1mab\x1b[0m\x1b[1;31mcd\x1b[0m"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
