package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agents/roster"
)

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
			return cli.Failed
		}
		line = append([]string{name}, line...)
	}
	root.SetArgs(line)
	root.SetOut(out)
	root.SetErr(errs)
	return cli.Execute(ctx, root)
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
	root := &cobra.Command{Use: "zedbox",
		Short: "The agents of an EVE device", Args: cli.Usage(cobra.NoArgs),
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
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(stepsCommand(b), hubCommand(b), allCommand(b), statusCommand(b),
		ipcmonitorCommand(b), versionCommand())
	for _, e := range roster.Agents() {
		root.AddCommand(agentCommand(b, e))
	}
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "The revision it was built from",
		Args: cli.Usage(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintln(c.OutOrStdout(), cli.Revision())
			return nil
		}}
}
