package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/core/agents/roster"
)

// Exit codes of the contract.
const (
	exitFailed  = 1
	exitRefused = 2
)

// refused is usage or input that is refused: exit 2.
type refused struct{ error }

// Unwrap is the reason.
func (r refused) Unwrap() error { return r.error }

// collect is how much garbage there may be, in percent of what is in use: a device has memory for
// guests, not for us, and its processor has little to do.
const collect = 25

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collect)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs a command line, whose first word is the name of the program, and returns the exit
// code.
func execute(ctx context.Context, args []string, out, errs io.Writer) int {
	root := command()
	line := args[1:]
	if name := filepath.Base(args[0]); name != root.Name() {
		if !known(root, name) {
			// EVE: a link of an unknown name exits with 1.
			fmt.Fprintf(errs, "zedbox: there is no agent or tool %s\n", name)
			return exitFailed
		}
		line = append([]string{name}, line...)
	}
	root.SetArgs(line)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	var no refused
	switch {
	case err == nil:
		return 0
	case errors.As(err, &no):
		fmt.Fprintln(errs, "zedbox:", no.error)
		return exitRefused
	}
	fmt.Fprintln(errs, "zedbox:", err)
	return exitFailed
}

func known(root *cobra.Command, name string) bool {
	for _, c := range root.Commands() {
		if c.Name() == name {
			return true
		}
	}
	return false
}

// box is what all commands share.
type box struct {
	root    string
	outside string
	// machine is the file that says what the device stands on; empty: this machine as it is.
	machine string
	// diagOut is where the report on connectivity goes; empty: run/diag.out.
	diagOut string
	// recordDir is where recordings go; empty: nothing is recorded.
	recordDir string
	tapes     int // begun
}

func (b *box) folder() zedbox.Root { return zedbox.Root(b.root) }

func command() *cobra.Command {
	b := &box{}
	root := &cobra.Command{Use: "zedbox", SilenceErrors: true, SilenceUsage: true,
		Short: "The agents of an EVE device", Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	root.PersistentFlags().StringVar(&b.root, "root", "/", "folder of run, persist and config")
	root.PersistentFlags().StringVar(&b.outside, "outside", "",
		"file that says what stands in the network of models")
	root.PersistentFlags().StringVar(&b.machine, "machine", "",
		"file that says what the device stands on: ports, TPM, disk (default: this machine)")
	root.PersistentFlags().StringVarP(&b.diagOut, "output", "o", "",
		"where diag writes its report (default run/diag.out)")
	root.PersistentFlags().StringVar(&b.recordDir, "record", "",
		"folder for recordings of all turns of the agents, a file for each process")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return refused{fmt.Errorf("%w; see %q", err, c.CommandPath()+" --help")}
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(stepsCommand(b), hubCommand(b), allCommand(b), statusCommand(b),
		ipcmonitorCommand(b), versionCommand())
	for _, e := range roster.Agents() {
		root.AddCommand(agentCommand(b, e))
	}
	return root
}

// usage makes the wrong arguments exit 2.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return refused{fmt.Errorf("%w; see %q", err, c.CommandPath()+" --help")}
		}
		return nil
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "The revision it was built from",
		Args: usage(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
			version := "unknown"
			if i, ok := debug.ReadBuildInfo(); ok {
				for _, s := range i.Settings {
					if s.Key == "vcs.revision" {
						version = s.Value[:min(12, len(s.Value))]
					}
				}
			}
			fmt.Fprintln(c.OutOrStdout(), version)
			return nil
		}}
}
