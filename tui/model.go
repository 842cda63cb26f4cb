package tui

import (
	"context"
	"errors"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/evetwin/evetwin/tui/page"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
)

// model is the whole terminal.
type model struct {
	ctx   context.Context
	src   source.Source
	stage page.Stage
	pages []page.Page
	at    int // the page that shows

	width, height int
	readOnly      bool
	ended         bool   // the source told all it had to tell
	trouble       string // why the source ended, if not by itself
	help          bool
	menu          *menu
	prompt        *prompt
	notice        string // how a request went
	noticeAt      time.Time
	still         bool // no timers: for tests
	blinking      bool // a timer for the light is set
}

// batchMsg is what the source told.
type batchMsg struct{ batch *source.Batch }

// endMsg is the end of the source.
type endMsg struct{ err error }

// beatMsg comes every second.
type beatMsg time.Time

// blinkMsg comes when the device's light changes.
type blinkMsg time.Time

// doneMsg is how a request went.
type doneMsg struct {
	request source.Request
	err     error
	at      time.Time
}

func newModel(ctx context.Context, src source.Source, t *style.Theme, readOnly bool) *model {
	return &model{ctx: ctx, src: src, readOnly: readOnly,
		stage: page.Stage{State: source.NewState(), Theme: t},
		pages: []page.Page{&page.Overview{}, &page.Network{}, &page.Apps{}, &page.Topics{},
			&page.Log{}}}
}

// Init begins to listen.
func (m *model) Init() tea.Cmd {
	if m.still {
		return m.next()
	}
	return tea.Batch(m.next(), beat())
}

// next waits for the source.
func (m *model) next() tea.Cmd {
	if m.src == nil {
		return nil
	}
	return func() tea.Msg {
		b, err := m.src.Next(m.ctx)
		if err != nil {
			return endMsg{err}
		}
		return batchMsg{b}
	}
}

func beat() tea.Cmd {
	return tea.Tick(time.Second, func(t time.Time) tea.Msg { return beatMsg(t) })
}

// Update takes a message.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		return m, m.press(msg)
	case batchMsg:
		m.take(msg.batch)
		return m, tea.Batch(m.next(), m.blink())
	case endMsg:
		m.ended = true
		if !errors.Is(msg.err, io.EOF) && m.ctx.Err() == nil {
			m.trouble = msg.err.Error()
		}
	case beatMsg:
		m.tick(time.Time(msg))
		m.stage.State.Beat()
		return m, beat()
	case blinkMsg:
		m.blinking = false
		m.tick(time.Time(msg))
		return m, m.blink()
	case doneMsg:
		m.done(msg)
	}
	return m, nil
}

func (m *model) take(b *source.Batch) {
	m.stage.State.Apply(b)
	m.tick(b.At)
}

// tick moves the terminal's time on.
func (m *model) tick(t time.Time) {
	if t.After(m.stage.Now) {
		m.stage.Now = t
	}
	m.stage.Lit, _ = page.Lit(page.Blink(m.stage.State), m.lightTime())
	if m.notice != "" && m.stage.Now.Sub(m.noticeAt) > noticeFor {
		m.notice = ""
	}
}

// lightTime is the time by which the light blinks.
func (m *model) lightTime() time.Duration { return m.stage.State.Up(m.stage.Now) }

// blink sets a timer for the next change of the light, if it shows and changes at all.
func (m *model) blink() tea.Cmd {
	if m.still || m.blinking || m.at != 0 || m.stage.State.Device.Off {
		return nil
	}
	on, rest := page.Lit(page.Blink(m.stage.State), m.lightTime())
	m.stage.Lit = on
	if rest == 0 {
		return nil
	}
	m.blinking = true
	return tea.Tick(rest+time.Millisecond, func(t time.Time) tea.Msg { return blinkMsg(t) })
}
