package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/hub/hubbench"
)

// Exit codes of the contract.
const (
	exitFailed  = 1
	exitRefused = 2
)

// failed is an outcome that was reported already: exit 1 without another word.
type failed struct{}

// Error names the outcome.
func (failed) Error() string { return "not all is well" }

// refused is usage or input that is refused: exit 2.
type refused struct{ error }

// Unwrap is the reason.
func (r refused) Unwrap() error { return r.error }

func main() {
	if was, err := hubbench.Play(); was {
		if err != nil {
			fmt.Fprintln(os.Stderr, "evetwin:", err)
			os.Exit(exitFailed)
		}
		return
	}
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup wants us to go on
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	code := execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := command()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	var no refused
	switch {
	case err == nil:
		return 0
	case errors.As(err, &no):
		fmt.Fprintln(errs, "evetwin:", no.error)
		return exitRefused
	case errors.Is(err, failed{}):
		return exitFailed
	}
	fmt.Fprintln(errs, "evetwin:", err)
	return exitFailed
}

func command() *cobra.Command {
	root := &cobra.Command{Use: "evetwin", SilenceErrors: true, SilenceUsage: true,
		Short:   "A whole EVE device, its controller and its network on a laptop",
		Version: commit(), Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return refused{fmt.Errorf("%w; see %q", err, c.CommandPath()+" --help")}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(runCommand(), scenariosCommand(), tryCommand(), upCommand(), benchCommand(),
		exploreCommand(), controllerCommand(),
		replayCommand(), doctorCommand(), tuiCommand(), setupCommand())
	return root
}

// usage makes the wrong number of arguments exit 2.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return refused{fmt.Errorf("%w; see %q", err, c.CommandPath()+" --help")}
		}
		return nil
	}
}

// line prints one object on a line.
func line(w io.Writer, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("evetwin: encode a result: " + err.Error())
	}
	fmt.Fprintf(w, "%s\n", b)
}

// commit is the revision the program was built from, "unknown" where the build did not say.
func commit() string {
	if i, ok := debug.ReadBuildInfo(); ok {
		for _, s := range i.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return "unknown"
}
