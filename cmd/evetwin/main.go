package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/hub/hubbench"
	"github.com/evetwin/evetwin/cmd/cli"
)

func main() {
	if was, err := hubbench.Play(); was {
		if err != nil {
			fmt.Fprintln(os.Stderr, "evetwin:", err)
			os.Exit(cli.Failed)
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
	return cli.Execute(ctx, root)
}

func command() *cobra.Command {
	root := &cobra.Command{Use: "evetwin",
		Short:   "A whole EVE device, its controller and its network on a laptop",
		Version: cli.Revision(), Args: cli.Usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(runCommand(), scenariosCommand(), tryCommand(), upCommand(), benchCommand(),
		exploreCommand(), controllerCommand(),
		replayCommand(), doctorCommand(), tuiCommand(), setupCommand())
	return root
}

// line prints one object on a line.
func line(w io.Writer, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("evetwin: encode a result: " + err.Error())
	}
	fmt.Fprintf(w, "%s\n", b)
}
