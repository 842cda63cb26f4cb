package widget

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/evetwin/evetwin/tui/style"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "eth0 up", "eth0 up"},
		{"escape sequence", "a\x1b[31mb\x1b]0;title\x07c", "a·[31mb·]0;title·c"},
		{"eight-bit sequence", "a\u009b31mb", "a·31mb"},
		{"line breaks", "one\r\ntwo\tthree", "one  two three"},
		{"backspace and bell", "a\b\x7f\x00b", "a···b"},
		{"broken UTF-8", "a\xffb\xc3", "a·b·"},
		{"right to left override", "a\u202Eb\u2066c", "a·b·c"},
		{"nothing to see", "a\u200Bb\uFEFFc\u00ADd", "a·b·c·d"},
		{"wide letters stay", "検査カメラ", "検査カメラ"},
		{"marks stay", "e\u0301te\u0301", "e\u0301te\u0301"},
		{"but not many", "e\u0301\u0301\u0301\u0301x", "e\u0301\u0301x"},
		{"and not on nothing", "\u0301a", "a"},
		{"selectors go", "\u2764\uFE0Fa", "\u2764a"},
		{"flags are letters", "\U0001F1EE\U0001F1F9", "IT"},
		{"private use", "a\uE000b", "a·b"},
		{"a letter that joins the next", "a\U000111C3", "a·"},
		{"half a sound mark on nothing", "\uFF9Ea\uFF9E", "a\uFF9E"},
		{"a syllable in pieces", "\u1112\u1161\u11AB", "\u1112\u1161\u11AB"},
		{"line separator", "a\u2028b", "a·b"},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

// safe reports what a terminal must not get.
func safe(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
	})
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[2J", "\u009b0m", "a\xff", "日本語",
		"e\u0301\u0301\u0301",
		"\U0001F468\u200D\U0001F469", "\x1bP+q\x1b\\", "\r\n\t", "\U0001F1EE\U0001F1F9"} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		c := Clean(s)
		if !safe(c) {
			t.Fatalf("%q becomes %q", s, c)
		}
		if again := Clean(c); again != c {
			t.Fatalf("%q becomes %q, and that %q", s, c, again)
		}
		width = width&63 + 1
		bare := style.New(style.Bare, style.Unicode())
		if got := Text(style.Plain, s).Fit(width, bare); got.Width() != width ||
			ansi.StringWidth(got.String()) != width {
			t.Fatalf("%q fits %d columns as %q of %d", s, width, got, ansi.StringWidth(got.String()))
		}
		among := Text(style.Plain, "x").Put(style.Good, s).Put(style.Plain, " |")
		if got := ansi.StringWidth(among.String()); got != among.Width() {
			t.Fatalf("%q takes %d columns among others, should take %d", s, got, among.Width())
		}
		for _, l := range Wrap(style.Plain, s, width) {
			if !safe(l.String()) || strings.Contains(l.String(), "\n") {
				t.Fatalf("%q wraps to %q", s, l)
			}
		}
	})
}
