package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/hub/join"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
)

func allCommand(b *box) *cobra.Command {
	return &cobra.Command{Use: "all", Short: "Run the device in this one process",
		Args: cli.Usage(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
			return b.all(c.Context(), newLines(c.ErrOrStderr()))
		}}
}

// all runs hub and agents until ctx ends or the device powers itself off.
func (b *box) all(ctx context.Context, l *lines) (err error) {
	r := b.folder()
	if err := r.Make(); err != nil {
		return err
	}
	release, err := holdAll(r, append([]string{zedbox.Steps}, names()...)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	w := &whole{b: b, l: l, began: time.Now(), pulse: zedbox.NewPulse(r, names()...)}
	defer func() {
		err = errors.Join(err, w.pulse.Close(), os.Remove(r.StatusFile()), os.Remove(r.PartsFile()))
	}()
	if err := w.show(zedbox.Starting); err != nil {
		return err
	}
	agents, stop := context.WithCancel(ctx)
	defer stop()
	// The hub outlives its agents, so that they end in order.
	served, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer end()
		w.agents(agents)
	}()
	err = b.hub(served, l)
	stop()
	<-gone
	return err
}

// whole is a device in one process.
type whole struct {
	b     *box
	l     *lines
	began time.Time
	pulse *zedbox.Pulse

	restarts int
}

// agents runs all agents, anew for each boot of the device.
func (w *whole) agents(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.b.join(ctx, w.l, func(post func(func())) {
			w.pulse.Join(post)
			if err := w.show(zedbox.Running); err != nil {
				w.l.write(agent.Err, zedbox.Steps, "status", err.Error())
			}
		}, roster.Agents()...)
		if err == nil || !errors.Is(err, join.ErrNewLife) {
			if err != nil {
				w.l.write(agent.Err, zedbox.Steps, "agents", err.Error())
			}
			return
		}
		w.restarts++
	}
}

// show says what runs.
func (w *whole) show(state zedbox.State) error {
	pid := os.Getpid()
	s := zedbox.Status{PID: pid, Hub: zedbox.Process{Name: zedbox.Hub, PID: pid, Since: w.began,
		State: zedbox.Running}}
	for _, n := range names() {
		s.Agents = append(s.Agents, zedbox.Process{Name: n, PID: pid, Since: w.began, State: state,
			Restarts: w.restarts})
	}
	return zedbox.WriteStatus(w.b.folder(), &s)
}
