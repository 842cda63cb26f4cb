package style

import (
	"io"
	"strings"

	"github.com/charmbracelet/colorprofile"
)

// Detect makes the theme that fits a terminal: the colours it has, none where NO_COLOR is set, and
// the signs its font and locale can show. env is a list of "name=value".
func Detect(out io.Writer, env []string) *Theme {
	var d Depth
	switch colorprofile.Detect(out, env) {
	case colorprofile.ANSI:
		d = Eight
	case colorprofile.ANSI256, colorprofile.TrueColor:
		d = Colour
	case colorprofile.ASCII:
		d = Mono
	default:
		d = Bare
	}
	if lookup(env, "NO_COLOR") != "" {
		d = min(d, Mono)
	}
	return New(d, glyphsOf(env))
}

func glyphsOf(env []string) Glyphs {
	locale := ""
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale = lookup(env, name); locale != "" {
			break
		}
	}
	term := lookup(env, "TERM")
	locale = strings.ToLower(strings.ReplaceAll(locale, "-", ""))
	switch {
	case locale != "" && !strings.Contains(locale, "utf8"):
		return ASCII()
	case term == "linux":
		return Console()
	case strings.HasPrefix(term, "vt"), term == "dumb", term == "ansi":
		return ASCII()
	}
	return Unicode()
}

// lookup is the value of a variable; of several the last counts.
func lookup(env []string, name string) string {
	value := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}
