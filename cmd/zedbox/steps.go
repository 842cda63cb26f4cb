package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
)

func stepsCommand(b *box) *cobra.Command {
	return &cobra.Command{Use: zedbox.Steps, Short: "Run the device, a process per agent",
		Args: cli.Usage(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
			// Links are looked up from another folder.
			root, err := filepath.Abs(b.root)
			if err != nil {
				return fmt.Errorf("find the root folder: %w", err)
			}
			program, err := os.Executable()
			if err == nil {
				program, err = filepath.EvalSymlinks(program)
			}
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			args := []string{"--root", root}
			if b.outside != "" {
				args = append(args, "--outside", b.outside)
			}
			if b.machine != "" {
				args = append(args, "--machine", b.machine)
			}
			if b.diagOut != "" {
				args = append(args, "--output", b.diagOut)
			}
			if b.recordDir != "" {
				dir, err := filepath.Abs(b.recordDir)
				if err != nil {
					return fmt.Errorf("find the folder for recordings: %w", err)
				}
				args = append(args, "--record", dir)
			}
			l := newLines(c.ErrOrStderr())
			return zedbox.New(zedbox.Options{Root: zedbox.Root(root), Program: program, Args: args,
				Agents: names(), Unwatched: []string{"diag"}, Log: c.ErrOrStderr(),
				OnLine: func(about, text string) { l.write(agent.Info, zedbox.Steps, about, text) },
			}).Run(c.Context())
		}}
}

// names are those of all agents.
func names() []string {
	var out []string
	for _, e := range roster.Agents() {
		out = append(out, e.Name)
	}
	return out
}

// holdAll makes this process each of some names.
func holdAll(r zedbox.Root, names ...string) (release func() error, err error) {
	var held []*zedbox.PIDFile
	release = func() error {
		var err error
		for _, p := range slices.Backward(held) {
			err = errors.Join(err, p.Release())
		}
		return err
	}
	for _, n := range names {
		p, err := zedbox.Hold(r, n)
		if err != nil {
			return nil, errors.Join(err, release())
		}
		held = append(held, p)
	}
	return release, nil
}
