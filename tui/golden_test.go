package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/exp/golden"

	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// busyAt is the second of the demonstration that the golden files show: onboarded, two ports, one
// of them without a cable; one application runs, one downloads, one cannot be verified.
const busyAt = 34 * time.Second

// terminal is a model that has seen the demonstration up to a time, without timers.
func terminal(t testing.TB, at time.Duration, width, height int) *model {
	t.Helper()
	m := newModel(t.Context(), nil, style.New(style.Bare, style.Unicode()), false)
	m.still = true
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	src := source.DemoAt(start)
	for last := time.Duration(0); last < at; {
		b, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		last = b.At.Sub(start)
		m.Update(batchMsg{b})
		if last%time.Second == 0 {
			m.Update(beatMsg(b.At))
		}
	}
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	return m
}

// keyOf is a key as the terminal sends it.
func keyOf(name string) tea.KeyMsg {
	types := map[string]tea.KeyType{"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
		"right": tea.KeyRight, "enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab,
		"shift+tab": tea.KeyShiftTab, "space": tea.KeySpace, "pgdown": tea.KeyPgDown,
		"pgup": tea.KeyPgUp, "backspace": tea.KeyBackspace, "ctrl+u": tea.KeyCtrlU}
	if k, ok := types[name]; ok {
		msg := tea.KeyMsg{Type: k}
		if k == tea.KeySpace {
			msg.Runes = []rune{' '}
		}
		return msg
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// typed sends keys, separated by blanks.
func (m *model) typed(keys string) *model {
	for _, k := range strings.Fields(keys) {
		m.View() // as bubbletea does between two messages
		m.Update(keyOf(k))
	}
	return m
}

// filled fails unless a screen has exactly its size.
func filled(t *testing.T, screen string, width, height int) {
	t.Helper()
	lines := strings.Split(screen, "\n")
	if len(lines) != height {
		t.Errorf("%d lines on a screen of %d", len(lines), height)
	}
	for i, l := range lines {
		if w := widget.Width(l); w != width {
			t.Errorf("line %d is %d wide on a screen of %d: %q", i, w, width, l)
		}
	}
}

func TestScreens(t *testing.T) {
	for _, page := range []struct{ name, keys string }{
		{"overview", ""},
		{"network", "2"},
		{"network-instance", "2 right right"},
		{"network-config", "2 right down"},
		{"applications", "3"},
		{"applications-downloading", "3 down"},
		{"applications-error", "3 down down"},
		{"topics", "4"},
		{"topics-row", "4 / d o w n l o a d e r enter enter enter"},
		{"log", "5"},
		{"help", "?"},
	} {
		for _, size := range [][2]int{{80, 25}, {200, 60}} {
			t.Run(fmt.Sprintf("%s-%dx%d", page.name, size[0], size[1]), func(t *testing.T) {
				screen := terminal(t, busyAt, size[0], size[1]).typed(page.keys).View()
				filled(t, screen, size[0], size[1])
				golden.RequireEqual(t, []byte(screen+"\n"))
			})
		}
	}
}

func TestScreensWithoutAnything(t *testing.T) {
	for n := range 5 {
		m := newModel(t.Context(), nil, style.New(style.Bare, style.ASCII()), true)
		m.still = true
		m.Update(tea.WindowSizeMsg{Width: 80, Height: 25})
		m.typed(fmt.Sprint(n+1) + " down right enter pgdown G g / x enter esc space a ?")
		filled(t, m.View(), 80, 25)
	}
}

func TestAnySizeIsDrawn(t *testing.T) {
	m := terminal(t, busyAt, 1, 1)
	for _, keys := range []string{"1", "2", "2 right", "3", "4", "4 enter", "4 enter", "5", "?"} {
		m.typed(keys)
		for _, width := range []int{1, 2, 3, 4, 5, 7, 12, 20, 33, 40, 59, 60, 71, 72, 99, 129, 150, 300} {
			for _, height := range []int{1, 2, 3, 4, 5, 6, 9, 15, 16, 30, 31, 100} {
				m.Update(tea.WindowSizeMsg{Width: width, Height: height})
				filled(t, m.View(), width, height)
				if t.Failed() {
					t.Fatalf("keys %q at %dx%d", keys, width, height)
				}
			}
		}
		m.typed("esc")
	}
	m.Update(tea.WindowSizeMsg{})
	if m.View() != "" {
		t.Error("something is drawn on no screen")
	}
}
