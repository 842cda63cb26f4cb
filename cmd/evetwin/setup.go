package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/cmd/cli"
)

func setupCommand() *cobra.Command {
	return &cobra.Command{Use: "setup", Hidden: true, Args: cli.Usage(cobra.NoArgs),
		Short: "Install what real parts need: Debian packages and a guest kernel",
		RunE: func(c *cobra.Command, _ []string) error {
			cache := lab.Cache{Dir: lab.DefaultDirs().Cache}
			r, err := lab.Setup(c.Context(), lab.Options{Cache: cache, Out: c.ErrOrStderr()})
			if err != nil {
				return fmt.Errorf("set up: %w", err)
			}
			for _, f := range r.Faults {
				fmt.Fprintln(c.ErrOrStderr(), "setup:", f)
			}
			if len(r.Missing) > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "setup: missing %s; models take their place\n",
					strings.Join(r.Missing, " "))
				return cli.ErrReported
			}
			return nil
		}}
}
