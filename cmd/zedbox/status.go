package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/cmd/cli"
)

func statusCommand(b *box) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "status", Short: "What runs: processes, restarts, parts",
		Args: cli.Usage(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
			s, err := zedbox.ReadStatus(b.folder())
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(s)
			} else {
				err = printStatus(c.OutOrStdout(), s)
			}
			if err == nil && s.PID == 0 {
				err = errors.New("the device has died")
			}
			return err
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "one object on stdout")
	return c
}

// printStatus prints for people.
func printStatus(w io.Writer, s *zedbox.Status) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PROCESS\tPID\tSINCE\tRESTARTS\tSTATE\tLAST END")
	for _, p := range append([]zedbox.Process{s.Hub}, s.Agents...) {
		fmt.Fprintf(t, "%s\t%d\t%s\t%d\t%s\t%s\n", p.Name, p.PID, p.Since.Format(time.DateTime),
			p.Restarts, p.State, p.Reason)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nPART\tKIND\tBECAUSE")
	for _, p := range s.Parts {
		fmt.Fprintf(t, "%s\t%s\t%s\n", p.Name, p.Kind, p.Why)
	}
	return t.Flush()
}
