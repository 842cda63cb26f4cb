package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
)

// Options of a terminal.
type Options struct {
	// In and Out are the terminal; nil means standard input and output.
	In  io.Reader
	Out io.Writer
	// Env decides on colours and signs ("TERM", "NO_COLOR", "LANG" ...); nil means the process's.
	Env []string
	// ReadOnly offers no requests, even where the source would carry them out.
	ReadOnly bool
	// Inline draws below what is on the screen instead of on a screen of its own.
	Inline bool
}

// entrance lets one at a time into a source's Next, and nobody once it is shut: bubbletea does
// not wait for its commands.
type entrance struct {
	src    source.Source
	mu     sync.Mutex
	closed bool
}

// Next goes in; see source.Source.
func (e *entrance) Next(ctx context.Context) (*source.Batch, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, io.EOF
	}
	return e.src.Next(ctx)
}

// Do asks the source.
func (e *entrance) Do(ctx context.Context, r source.Request) error { return e.src.Do(ctx, r) }

// shut waits until nobody is inside; the context of who is must have ended.
func (e *entrance) shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
}

// framesPerSecond bounds how often the screen is written.
const framesPerSecond = 20

// Run shows a source until the operator quits or ctx ends; both are no error. When the source has
// ended, what it told last stays on the screen.
func Run(ctx context.Context, src source.Source, o Options) error {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	ctx, cancel := context.WithCancel(ctx)
	in := &entrance{src: src}
	defer in.shut() // behind it nobody is in Next: the source may be closed
	defer cancel()
	m := newModel(ctx, in, style.Detect(o.Out, o.Env), o.ReadOnly)
	opts := []tea.ProgramOption{tea.WithInput(o.In), tea.WithOutput(o.Out),
		tea.WithFPS(framesPerSecond)}
	if !o.Inline {
		opts = append(opts, tea.WithAltScreen())
	}
	p := tea.NewProgram(m, opts...)
	stop := context.AfterFunc(ctx, p.Quit) // it leaves the screen as it was, which a kill does not
	defer stop()
	if _, err := p.Run(); err != nil && !errors.Is(err, tea.ErrInterrupted) {
		return fmt.Errorf("run terminal: %w", err)
	}
	return nil
}
