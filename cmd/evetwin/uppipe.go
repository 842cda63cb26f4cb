package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// unbroken makes a reader of our output that goes away the end of a run in order, with nothing left
// behind, instead of the process's death in the middle of it.
func unbroken(ctx context.Context, w io.Writer) (context.Context, io.Writer, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE) // a write then fails with EPIPE
	return ctx, &watched{w, cancel}, func() {
		signal.Stop(pipe)
		cancel(nil)
	}
}

// watched ends a run when it cannot be written to.
type watched struct {
	io.Writer
	cancel context.CancelCauseFunc
}

// Write passes on to the writer.
func (p *watched) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if err != nil {
		p.cancel(err)
	}
	return n, err
}
