package tui

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/exp/teatest"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/tui/page"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
)

// play runs a model as a program, sends it keys, and returns its last screen.
func play(t *testing.T, m *model, keys string) string {
	t.Helper()
	tm := teatest.NewTestModel(t, m, teatest.WithInitialTermSize(80, 25))
	for _, k := range strings.Fields(keys) {
		tm.Send(keyOf(k))
	}
	tm.Send(tea.QuitMsg{})
	// Not FinalModel: it may look for the model before the program has handed it over.
	tm.WaitFinished(t, teatest.WithFinalTimeout(20*time.Second))
	return m.View()
}

func TestKeys(t *testing.T) {
	for _, c := range []struct{ name, keys, want, not string }{
		{"number", "3", "╭─ nginx ─", ""},
		{"tab goes round", "tab tab tab tab tab", "╭─ Agents ─", ""},
		{"shift+tab goes back", "shift+tab", "╭─ Log ─", ""},
		{"letters move as arrows do", "3 j j k", "╭─ postgres ─", ""},
		{"end of a list", "3 G", "╭─ 検査カメラ ─", ""},
		{"panes", "2 right right down", "╭─ Network instance plant-floor ─", ""},
		{"panes go round", "2 left", "╭─ Network instance apps-nat ─", ""},
		{"help closes by any key", "? x", "╭─ Agents ─", "any key closes"},
		{"keys belong to the search while it is open", "4 / 5 q", "/5q_", "╭─ Log"},
		{"a search filters", "4 / l e d enter", "led/LedSeen", "nim/DeviceNetworkStatus"},
		{"a search is dropped", "4 / l e d esc", "nim/DeviceNetworkStatus", "/led"},
		{"letters of a search are taken back", "4 / l e d x backspace enter", "ledmanager/LedStatus",
			"ledx"},
		{"a row opens and closes", "4 / b o o t s enter enter enter esc esc", "╭─ boot/BootSeen ─", ""},
		{"empty fields show", "4 / p a r t s enter e", `"Current": true`, "show empty"},
		{"level of the log", "5 l l l", "level error", "lastresort"},
		{"agent of the log", "5 right right right", "from host", "検査カメラ"},
		{"search in the log", "5 / c a r r i e r enter", "no carrier", "onboarded"},
		{"the log is held", "5 space", "held at", "following"},
		{"and followed", "5 up G", "following", "held at"},
		{"nobody may act here", "a", "only shows", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := play(t, terminal(t, busyAt, 80, 25), c.keys)
			if !strings.Contains(got, c.want) || c.not != "" && strings.Contains(got, c.not) {
				t.Errorf("after %q want %q and not %q:\n%s", c.keys, c.want, c.not, got)
			}
		})
	}
}

func TestSelectionStaysWithItsRow(t *testing.T) {
	m := terminal(t, busyAt, 80, 25).typed("3 down")
	m.Update(batchMsg{&source.Batch{Rows: []source.Change{{Topic: app.Statuses.String(), Key: "0",
		Val: &app.AppInstanceStatus{UUIDandVersion: entity.UUIDandVersion{UUID: "0"},
			DisplayName: "a new one before it"}}}}})
	if s := m.View(); !strings.Contains(s, "╭─ postgres ─") {
		t.Errorf("another is selected:\n%s", s)
	}
	m.Update(batchMsg{&source.Batch{Rows: []source.Change{{Topic: app.Statuses.String(),
		Key: "0c5b7c44-2222-4d0a-b6bb-5a3f00000002"}}}})
	if s := m.View(); strings.Contains(s, "╭─ postgres ─") || strings.Contains(s, "no application") {
		t.Errorf("what is gone is still selected:\n%s", s)
	}
}

// actor is a source that takes requests.
type actor struct {
	got  []source.Request
	fail error
}

func (a *actor) Next(ctx context.Context) (*source.Batch, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (a *actor) Do(_ context.Context, r source.Request) error {
	a.got = append(a.got, r)
	return a.fail
}

func TestMenuAsksTheDevice(t *testing.T) {
	a := &actor{}
	m := terminal(t, busyAt, 80, 25)
	m.src = a
	m.Update(batchMsg{&source.Batch{Link: &source.Link{Write: true}}})
	run := func(keys string) string {
		t.Helper()
		for _, k := range strings.Fields(keys) {
			_, cmd := m.Update(keyOf(k))
			if cmd != nil {
				m.Update(cmd())
			}
		}
		return m.View()
	}
	if s := run("down a"); !strings.Contains(s, "restart-agent nim") ||
		!strings.Contains(s, "power-off") {
		t.Errorf("the menu:\n%s", s)
	}
	if s := run("esc"); strings.Contains(s, "power-off") || len(a.got) != 0 {
		t.Errorf("closed, %v was asked:\n%s", a.got, s)
	}
	if s := run("a enter"); len(a.got) != 1 || a.got[0].Target != "nim" ||
		!strings.Contains(s, "done") {
		t.Errorf("%v was asked:\n%s", a.got, s)
	}
	a.fail = errors.New("no such cable")
	if s := run("2 down a down enter"); !strings.Contains(s, "plug-cable eth1: no such cable") {
		t.Errorf("%v was asked:\n%s", a.got, s)
	}
	a.got, a.fail = nil, errors.New("ip.gateway: it is outside")
	if s := run("up a down down enter"); !strings.Contains(s, "set-port eth0 ... ") ||
		!strings.Contains(s, "3128 except 10.0.0.0/8,.plant.example_") || len(a.got) != 0 {
		t.Errorf("the prompt, %v was asked:\n%s", a.got, s)
	}
	run("ctrl+u q 1 ? x backspace enter") // letters are words here, whatever they do elsewhere
	if s := m.View(); len(a.got) != 1 || a.got[0].Text != "q1?" || a.got[0].Target != "eth0" ||
		!strings.Contains(s, "set-port eth0: ip.gateway: it is outside") {
		t.Errorf("%v was asked:\n%s", a.got, s)
	}
	a.got = append(a.got, source.Request{})
	if s := run("a down down enter esc"); strings.Contains(s, "plant.example_") || len(a.got) != 2 {
		t.Errorf("closed, %v was asked:\n%s", a.got, s)
	}
	m.readOnly = true
	if s := run("a enter"); len(a.got) != 2 || !strings.Contains(s, "only shows") {
		t.Errorf("read-only, %v was asked:\n%s", a.got, s)
	}
}

func TestAlerts(t *testing.T) {
	m := terminal(t, busyAt, 80, 25)
	m.Update(batchMsg{&source.Batch{Link: &source.Link{Lost: true, Why: "EOF"}}})
	if s := m.View(); !strings.Contains(s, "connection lost") {
		t.Errorf("a lost connection:\n%s", s)
	}
	m.Update(batchMsg{&source.Batch{Link: &source.Link{}}})
	m.Update(endMsg{io.EOF})
	if s := m.View(); !strings.Contains(s, "has stopped") {
		t.Errorf("the end:\n%s", s)
	}
	m.Update(endMsg{errors.New("it speaks version 2")})
	if s := m.View(); !strings.Contains(s, "version 2") {
		t.Errorf("a bad end:\n%s", s)
	}
}

func TestChangesStandOutForAWhile(t *testing.T) {
	m := terminal(t, busyAt, 80, 25).typed("4 / d o w n l o a d e r / enter enter enter")
	th := style.New(style.Colour, style.Unicode())
	m.stage.Theme = th
	var fresh strings.Builder
	th.Paint(&fresh, style.Fresh, style.Unmarked, "x")
	open, _, _ := strings.Cut(fresh.String(), "x")
	s := m.View()
	if !strings.Contains(s, open+`"CurrentSize": `) || strings.Contains(s, open+`"TotalSize": `) {
		t.Errorf("what changed does not stand out:\n%q", s)
	}
	m.Update(beatMsg(m.stage.Now.Add(10 * time.Second)))
	if s := m.View(); strings.Contains(s, open) {
		t.Errorf("it still does:\n%q", s)
	}
}

func TestLogIsHeldWhereItWas(t *testing.T) {
	m := terminal(t, busyAt, 80, 25).typed("5 up up up")
	before := m.View()
	for range 7000 {
		m.stage.State.Apply(&source.Batch{Lines: []source.Line{{From: "nim",
			Line: agent.Line{Text: "more"}}}})
	}
	if got := m.View(); !strings.Contains(before, "held at") || !strings.Contains(got, "more") {
		t.Errorf("before:\n%s\nafter, when the place is gone:\n%s", before, got)
	}
	m = terminal(t, busyAt, 80, 25).typed("5 up up up")
	m.Update(batchMsg{&source.Batch{Lines: []source.Line{{From: "nim",
		Line: agent.Line{Text: "more"}}}}})
	strip := func(s string) string {
		lines := strings.Split(s, "\n")
		return strings.Join(lines[2:len(lines)-2], "\n")
	}
	if got := m.View(); strip(got) != strip(before) {
		t.Errorf("before:\n%s\nafter:\n%s", before, got)
	}
}

func TestBlink(t *testing.T) {
	on := 0
	for at := time.Duration(0); at < 2800*time.Millisecond; at += 100 * time.Millisecond {
		if lit, rest := page.Lit(4, at); lit {
			on++
		} else if rest <= 0 {
			t.Fatalf("dark for ever at %v", at)
		}
	}
	if on != 8 {
		t.Errorf("four blinks of 200 ms are on %d times 100 ms", on)
	}
	if lit, rest := page.Lit(0, time.Second); lit || rest != 0 {
		t.Error("code 0 blinks")
	}
}

func TestPortStateShowsWithoutCable(t *testing.T) {
	m := terminal(t, busyAt, 80, 25).typed("2 down")
	s := m.View()
	for _, want := range []string{"no link", "no carrier on eth1", "taken up again"} {
		if !strings.Contains(s, want) {
			t.Errorf("%q is missing:\n%s", want, s)
		}
	}
	if d := source.Get(m.stage.State, network.DNS, entity.Global); d == nil || d.Ports[1].Up {
		t.Error("the story has changed")
	}
}
