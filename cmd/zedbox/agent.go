package main

import (
	"context"
	"errors"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/hub/join"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// agentCommand runs one agent in this process.
func agentCommand(b *box, e agent.Entry) *cobra.Command {
	return &cobra.Command{Use: e.Name, Short: "The agent " + e.Name, Args: cli.Usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			runtime.GOMAXPROCS(1) // the process is one loop
			pid, err := zedbox.Hold(b.folder(), e.Name)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, pid.Release()) }()
			pulse := zedbox.NewPulse(b.folder(), e.Name)
			defer func() { err = errors.Join(err, pulse.Close()) }()
			return b.join(c.Context(), newLines(c.ErrOrStderr()), pulse.Join, e)
		}}
}

// join runs agents as clients of the hub until ctx ends.
func (b *box) join(ctx context.Context, l *lines, onJoin func(func(func())), list ...agent.Entry,
) error {
	name := "all"
	if len(list) == 1 {
		name = list[0].Name
	}
	tape, err := newTape(b, name)
	if err != nil {
		return err
	}
	report := newReport(b)
	turn := func(p *host.Proc, in *host.Input, out *host.Output) {
		report.turn(p, in, out)
		tape.turn(p, in, out)
	}
	err = join.Run(ctx, join.Options{Socket: b.folder().Socket(), Agents: list, OnLine: l.OnLine,
		OnTurn: turn, OnBoot: report.boot, OnJoin: func(post func(func())) {
			report.post = post
			tape.joined(post)
			onJoin(post)
		}})
	if ctx.Err() != nil {
		err = nil // it was told to end
	}
	return errors.Join(err, report.close(), tape.close())
}
