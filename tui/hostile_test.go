package tui

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
)

// hostile is a name that would ring, clear the screen, set the title, answer as a keyboard would,
// and write backwards.
const hostile = "x\x1b[2J\x1b]0;owned\x07\x1b[6n\u009b31m\x1bP+q\x1b\\\u202e\u200b\b\r\n\xff\xfe" +
	"\u0301"

// spoil puts the text into every string of a row, and keeps the rest.
func spoil(v reflect.Value, text string) {
	if v.Kind() == reflect.Struct && v.Type().PkgPath() == "time" ||
		v.Type() == reflect.TypeFor[netip.Addr]() || v.Type() == reflect.TypeFor[netip.Prefix]() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + text)
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem(), text)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			spoil(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i), text)
		}
	}
}

// spoiled is a terminal all of whose texts are hostile.
func spoiled(t testing.TB, text string, theme *style.Theme) *model {
	m := terminal(t, busyAt, 80, 25)
	m.stage.Theme = theme
	s := m.stage.State
	b := &source.Batch{Device: &source.Device{Name: text, Boot: 1, Wall: s.Device.Wall}}
	for _, table := range s.Tables {
		for _, r := range table.Rows {
			spoil(reflect.ValueOf(r.Val), text)
			b.Rows = append(b.Rows,
				source.Change{Topic: table.Name + text, Key: r.Key + text, Rev: 1, Val: r.Val})
		}
	}
	b.Agents = append(b.Agents, source.Agent{Name: text, Health: source.Stopped, Why: text})
	b.Lines = append(b.Lines, source.Line{From: text, Line: agent.Line{Level: agent.Err, About: text,
		Text: text + text}})
	b.Marks = append(b.Marks, source.Mark{Name: text, Text: text})
	b.Link = &source.Link{Lost: true, Why: text}
	m.Update(batchMsg{b})
	return m
}

// colours are the only sequences that the terminal may be sent.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func harmless(t *testing.T, screen, what string) {
	t.Helper()
	rest := colours.ReplaceAllString(screen, "")
	if !utf8.ValidString(rest) {
		t.Fatalf("%s: broken UTF-8", what)
	}
	for i, r := range rest {
		if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) {
			t.Fatalf("%s: %U reaches the terminal in %q", what, r, rest[max(0, i-20):min(i+20, len(rest))])
		}
	}
	for _, s := range colours.FindAllString(screen, -1) {
		if strings.Contains(hostile, s) {
			t.Fatalf("%s: %q is not ours", what, s)
		}
	}
}

func TestHostileNamesDoNotReachTheTerminal(t *testing.T) {
	for name, theme := range map[string]*style.Theme{
		"colour": style.New(style.Colour, style.Unicode()),
		"ascii":  style.New(style.Eight, style.ASCII())} {
		m := spoiled(t, hostile, theme)
		for _, size := range [][2]int{{80, 25}, {200, 60}, {33, 9}, {1, 1}} {
			m.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			for _, keys := range []string{"1", "2", "2 right", "2 right", "3", "3 G", "4", "4 enter",
				"enter e", "esc G enter enter", "5", "5 right right", "?"} {
				harmless(t, m.typed(keys).View(), fmt.Sprintf("%s, %v, keys %q", name, size, keys))
			}
			m.typed("x")
		}
		// What is searched for shows, too; and what is pasted.
		m.typed("4 /")
		m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(hostile), Paste: true})
		harmless(t, m.View(), name+", search")
	}
}

func TestNothingButASCIIReachesAnASCIITerminal(t *testing.T) {
	m := spoiled(t, " 検査é", style.New(style.Eight, style.ASCII()))
	for _, keys := range []string{"1", "2", "3", "4", "4 enter", "5", "?"} {
		for i, r := range m.typed(keys).View() {
			if r > '~' {
				t.Fatalf("keys %q: %U at %d", keys, r, i)
			}
		}
	}
}

func FuzzHostileNames(f *testing.F) {
	f.Add(hostile, 80, 25)
	f.Add("検査\u200dカメラ", 20, 5)
	f.Fuzz(func(t *testing.T, name string, width, height int) {
		if len(name) > 1000 {
			return
		}
		m := spoiled(t, name, style.New(style.Bare, style.Unicode()))
		width, height = width&127+1, height&63+1
		m.Update(tea.WindowSizeMsg{Width: width, Height: height})
		for _, keys := range []string{"1", "2", "3", "4", "enter", "enter", "5"} {
			screen := m.typed(keys).View()
			harmless(t, screen, keys)
			filled(t, screen, width, height)
		}
	})
}
