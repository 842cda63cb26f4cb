package style

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name  string
		env   []string
		depth Depth
		on    string
	}{
		{"256 colours", []string{"TERM=xterm-256color", "TTY_FORCE=1"}, Colour, "●"},
		{"eight colours", []string{"TERM=xterm-color", "TTY_FORCE=1"}, Eight, "●"},
		{"console", []string{"TERM=linux", "TTY_FORCE=1", "LANG=C.UTF-8"}, Eight, "•"},
		{"NO_COLOR", []string{"TERM=xterm-256color", "TTY_FORCE=1", "NO_COLOR=yes"}, Mono, "●"},
		{"no UTF-8", []string{"TERM=xterm-256color", "TTY_FORCE=1", "LANG=C.UTF-8", "LC_ALL=C"},
			Colour, "*"},
		{"a file", []string{"TERM=xterm-256color"}, Bare, "●"},
	} {
		got := Detect(&bytes.Buffer{}, c.env)
		want := New(c.depth, got.Glyphs)
		if got.open != want.open || got.On != c.on {
			t.Errorf("%s: sign %q, good is %q; want %q, %q", c.name, got.On, got.open[Good], c.on,
				want.open[Good])
		}
	}
}

// paint is a text in every role and mark.
func paint(th *Theme, text string) string {
	var b strings.Builder
	for r := range roles {
		for m := Unmarked; m <= Parked; m++ {
			th.Paint(&b, r, m, text)
		}
	}
	return b.String()
}

func TestDepthsUseOnlyWhatTheyHave(t *testing.T) {
	for d, allowed := range map[Depth]string{
		Bare:   `^$`,
		Mono:   `^\x1b\[([01247];?)+m$`,
		Eight:  `^\x1b\[([01247]|3[0-7]|4[0-7])(;([01247]|3[0-7]|4[0-7]))*m$`,
		Colour: `^\x1b\[[0-9;]+m$`,
	} {
		re := regexp.MustCompile(allowed)
		for _, s := range regexp.MustCompile(`\x1b[^m]*m`).FindAllString(
			paint(New(d, Unicode()), "text"), -1) {
			if !re.MatchString(s) {
				t.Errorf("depth %d writes %q", d, s)
			}
		}
	}
}

func TestNothingButASCIIWhereThatIsAll(t *testing.T) {
	out := paint(New(Eight, ASCII()), "↑ 検査 é·")
	for i := range len(out) {
		if out[i] > '~' {
			t.Fatalf("%q", out)
		}
	}
	if !strings.Contains(out, "^ ???? ??") {
		t.Errorf("widths are lost: %q", out)
	}
}

func TestGlyphsAreOneColumnEach(t *testing.T) {
	for _, g := range []Glyphs{Unicode(), Console(), ASCII()} {
		for _, s := range append([]string{g.On, g.Off, g.Part, g.Cross, g.Warn, g.Pointer,
			g.Ellipsis, g.Up, g.Down, g.Full, g.Empty, g.H, g.V, g.NW, g.NE, g.SW, g.SE, g.VR, g.L,
			g.Sep}, append(g.Eighths, g.Spark...)...) {
			if n := len([]rune(s)); n != 1 {
				t.Errorf("%q has %d letters", s, n)
			}
		}
	}
}
