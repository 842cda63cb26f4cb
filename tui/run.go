package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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
	defer cancel()
	m := newModel(ctx, src, style.Detect(o.Out, o.Env), o.ReadOnly)
	opts := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out),
		tea.WithFPS(framesPerSecond)}
	if !o.Inline {
		opts = append(opts, tea.WithAltScreen())
	}
	_, err := tea.NewProgram(m, opts...).Run()
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, tea.ErrInterrupted):
		return nil
	case errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil:
		return nil
	}
	return fmt.Errorf("run terminal: %w", err)
}
