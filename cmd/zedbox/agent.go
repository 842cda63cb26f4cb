package main

import (
	"context"
	"errors"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/hub/join"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/core/agent"
)

// agentCommand runs one agent in this process.
func agentCommand(b *box, e agent.Entry) *cobra.Command {
	return &cobra.Command{Use: e.Name, Short: "The agent " + e.Name, Args: usage(cobra.NoArgs),
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
	report := newReport(b)
	err := join.Run(ctx, join.Options{Socket: b.folder().Socket(), Agents: list, OnLine: l.OnLine,
		OnTurn: report.turn, OnBoot: report.boot, OnJoin: func(post func(func())) {
			report.post = post
			onJoin(post)
		}})
	if ctx.Err() != nil {
		return report.close() // it was told to end
	}
	return errors.Join(err, report.close())
}
