package main

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
)

// measured is what every measurement also says.
type measured struct {
	Commit  string  `json:"commit"`
	Cores   int     `json:"cores"`
	Seconds float64 `json:"seconds"`
}

func done(began time.Time) measured {
	return measured{cli.Revision(), runtime.NumCPU(), time.Since(began).Seconds()}
}

func benchCommand() *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "Measure", Args: cli.Usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.PersistentFlags().Bool("json", false, "one object per line on stdout")
	c.AddCommand(benchSpeedCommand(), benchFleetCommand(), benchBusCommand(),
		benchRecordCommand(), benchReplaysCommand(), benchControllerCommand(), benchIdleCommand())
	return c
}

// result prints a measurement as JSON or for people.
func result(c *cobra.Command, v any, text string, args ...any) {
	var out io.Writer = c.OutOrStdout()
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		line(out, v)
		return
	}
	fmt.Fprintf(out, text+"\n", args...)
}
