package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/cmd/cli"
)

func doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "doctor", Args: cli.Usage(cobra.NoArgs),
		Short: "Find out by using them which real parts work here",
		RunE: func(c *cobra.Command, _ []string) error {
			out := c.OutOrStdout()
			prober := lab.Prober{Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}}
			for _, f := range prober.Probe(c.Context()) {
				if asJSON {
					line(out, f)
					continue
				}
				mark := "ok     "
				if !f.OK {
					mark = "missing"
				}
				fmt.Fprintf(out, "%s %-11s %-24s %s\n", mark, f.Part, f.Version, f.Detail)
				if f.Cost != "" {
					fmt.Fprintf(out, "%20s costs: %s\n", "", f.Cost)
				}
			}
			return nil
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "one object per line on stdout")
	return c
}
