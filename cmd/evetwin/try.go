package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/scenarios/dryrun"
)

type tryFlags struct {
	dryrun.Options
	json, verbose bool
}

func tryCommand() *cobra.Command {
	var f tryFlags
	c := &cobra.Command{Use: "try", Args: cli.Usage(cobra.NoArgs),
		Short: "A dry run of a configuration in virtual time, before it meets a real device",
		RunE:  func(c *cobra.Command, _ []string) error { return try(c, f) }}
	c.Flags().StringVar(&f.Model, "model", "",
		"device model, JSON (default: what the configuration describes, else two Ethernet ports)")
	c.Flags().StringVar(&f.Network, "network", "",
		"network model, JSON (default: a network with DHCP at each Ethernet port)")
	c.Flags().StringVar(&f.Config, "config", "",
		"device configuration, JSON (default: two ports with DHCP, no applications)")
	c.Flags().StringVar(&f.Overrides, "overrides", "",
		"folder of files for /config (default: config-overrides beside the configuration)")
	c.Flags().StringVar(&f.Bootstrap, "bootstrap", "", "configuration to sign into "+
		"/config/bootstrap-config.pb, or none (default: the configuration, where there are no overrides)")
	c.Flags().DurationVar(&f.For, "for", dryrun.DefaultFor, "device time in which it must settle")
	c.Flags().BoolVar(&f.json, "json", false, "one object on stdout")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "log lines of the agents on stderr")
	return c
}

// try reads the inputs, runs the device and prints what it came to.
func try(c *cobra.Command, f tryFlags) error {
	return guarded(c, f.json, func() error {
		if f.For <= 0 {
			return cli.Refuse(fmt.Errorf("--for %v: it must be more than nothing", f.For))
		}
		in, err := dryrun.Read(f.Options)
		var r *dryrun.Report
		if err == nil {
			r, err = in.Run(c.Context(), tries(c, f.verbose))
		}
		var no *dryrun.Refusal
		switch {
		case errors.As(err, &no):
			return cli.Refuse(errors.New(strings.Join(no.Lines, again)))
		case err != nil:
			return err
		case f.json:
			line(c.OutOrStdout(), r)
		default:
			if err := r.Print(c.OutOrStdout()); err != nil {
				return fmt.Errorf("print the report: %w", err)
			}
		}
		if !r.OK {
			fmt.Fprintln(c.ErrOrStderr(), "evetwin:", r.Error)
			return cli.ErrReported
		}
		return nil
	})
}

// again parts lines of one error on stderr, so that each begins as errors do.
const again = "\nevetwin: "

// guarded does f and makes an error of a panic, which is a defect of ours and must not look like an
// answer about the inputs. With JSON an error that f has not reported becomes an object on stdout.
func guarded(c *cobra.Command, asJSON bool, f func() error) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("this is a defect of evetwin, please report it with the inputs: %v\n%s", x,
				debug.Stack())
		}
		if err != nil && !errors.Is(err, cli.ErrReported) && asJSON {
			text := strings.ReplaceAll(err.Error(), again, "\n")
			if x := strings.Index(text, "\ngoroutine "); x >= 0 {
				text = text[:x] // the stack is for stderr
			}
			line(c.OutOrStdout(), struct {
				OK    bool   `json:"ok"`
				Error string `json:"error"`
			}{false, text})
		}
	}()
	return f()
}

// tries has the log lines printed, if they are wanted.
func tries(c *cobra.Command, verbose bool) dryrun.Tries {
	if !verbose {
		return dryrun.Tries{}
	}
	return dryrun.Tries{OnLine: func(from string, at time.Duration, l agent.Line) {
		fmt.Fprintf(c.ErrOrStderr(), "%10.3f %-12s %-5v %s %s\n", at.Seconds(), from, l.Level, l.About,
			l.Text)
	}}
}
