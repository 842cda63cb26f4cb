package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
)

type runFlags struct {
	host   string
	seeds  string
	json   bool
	faults string
	// profile is that of faults.
	profile fault.Profile
	record  string
	again   string
	runFork
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{Use: "run NAME... | all", Short: "Run scenarios",
		Long: runLong,
		Args: cli.Usage(func(c *cobra.Command, args []string) error {
			switch {
			case f.saveAt != 0:
				return f.saveArgs(c, args)
			case f.again != "" || f.from != "":
				return cobra.NoArgs(c, args)
			}
			return cobra.MinimumNArgs(1)(c, args)
		}),
		RunE: func(c *cobra.Command, names []string) error {
			if f.again != "" {
				return runCase(c, f)
			}
			if f.from != "" || f.saveAt != 0 {
				return runLife(c, names, f)
			}
			return run(c, names, f)
		}}
	c.Flags().StringVar(&f.host, "host", scenario.Virtual, "virtual, live or linux")
	c.Flags().StringVar(&f.seeds, "seed", "1", "a seed, or a range N..M")
	c.Flags().BoolVar(&f.json, "json", false, "one object per line on stdout")
	c.Flags().StringVar(&f.faults, "faults", "none",
		strings.Join(fault.Profiles(), ", ")+": what goes wrong, drawn from the seed")
	c.Flags().StringVar(&f.record, "record", "",
		"file that takes every turn, of one scenario and seed in virtual time")
	c.Flags().StringVar(&f.again, "case", "",
		"file of a failure that explore saved: run it again, with its faults and all rules")
	f.runFork.flags(c)
	return c
}

func run(c *cobra.Command, names []string, f runFlags) error {
	list, err := pick(names)
	if err != nil {
		return cli.Refuse(err)
	}
	from, to, err := scenario.Seeds(f.seeds)
	if err != nil {
		return cli.Refuse(fmt.Errorf("--seed %w", err))
	}
	if !slices.Contains([]string{scenario.Virtual, scenario.Live, scenario.Linux}, f.host) {
		return cli.Refuse(fmt.Errorf("--host %s: this version runs on virtual, live and linux", f.host))
	}
	if f.profile, err = fault.Named(f.faults); err != nil {
		return cli.Refuse(fmt.Errorf("--faults: %w", err))
	}
	if f.faults != fault.None && f.host != scenario.Virtual {
		return cli.Refuse(fmt.Errorf("--faults %s: on virtual only", f.faults))
	}
	if f.record != "" && (len(list) != 1 || from != to || f.host != scenario.Virtual) {
		return cli.Refuse(fmt.Errorf("--record %s: one scenario, one seed, on virtual", f.record))
	}
	ok := true
	for seed := from; seed <= to; seed++ {
		for _, sc := range list {
			if c.Context().Err() != nil {
				return c.Context().Err()
			}
			r := runOne(c, sc, f, seed)
			ok = ok && r.OK
			report(c.OutOrStdout(), c.ErrOrStderr(), r, f)
		}
	}
	if !ok {
		return cli.ErrReported
	}
	return nil
}

func pick(names []string) ([]*scenario.Scenario, error) {
	if len(names) == 1 && names[0] == "all" {
		return scenarios.All(), nil
	}
	var out []*scenario.Scenario
	for _, n := range names {
		s, err := scenarios.Find(n)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// runOne carries one scenario out for one seed.
func runOne(c *cobra.Command, sc *scenario.Scenario, f runFlags, seed uint64) scenario.Result {
	began, on := time.Now(), f.host
	r := scenario.Result{Name: sc.Name, Host: on, Seed: seed}
	if !sc.RunsOn(on) {
		r.OK, r.Skipped = true, "it runs on "+strings.Join(sc.Hosts, " and ")+" only"
		return r
	}
	var around []scenario.Around
	if f.faults != fault.None {
		if !sc.Faults {
			r.OK, r.Skipped = true, "what it expects does not hold under faults"
			return r
		}
		around = append(around, storm.New(fault.Draw(f.profile, seed, storm.Usual(), sc.Span)))
	}
	h, done, err := newHost(c.Context(), on, seed, f.record, around...)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r = sc.Run(h, seed)
	r.WallS = time.Since(began).Seconds()
	if err := done(); err != nil && r.OK {
		r.OK, r.Error = false, "end the run: "+err.Error()
	}
	return r
}

// report prints a result, and for one that failed how to see it again.
func report(out, errs io.Writer, r scenario.Result, f runFlags) {
	if f.json {
		line(out, r)
	} else {
		verdict := "ok"
		switch {
		case r.Skipped != "":
			verdict = "skipped: " + r.Skipped
		case !r.OK:
			verdict = "FAILED " + r.Error
		}
		fmt.Fprintf(out, "%-28s seed %-6d %8.1f s of device time in %6.0f ms  %s\n", r.Name, r.Seed,
			r.VirtualS, r.WallS*1000, verdict)
	}
	if !r.OK {
		under := ""
		if f.faults != "" && f.faults != fault.None {
			under = " --faults " + f.faults
		}
		fmt.Fprintf(errs, "%sreplay: evetwin run %s --seed %d%s\n", r.Causes, r.Name, r.Seed, under)
	}
}

func scenariosCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "scenarios", Short: "List the scenarios", Args: cli.Usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			for _, s := range scenarios.All() {
				if asJSON {
					line(c.OutOrStdout(), struct {
						Name   string   `json:"name"`
						Covers []string `json:"covers"`
						Hosts  []string `json:"hosts"`
						Needs  []string `json:"needs"`
					}{s.Name, list(s.Covers), list(s.Hosts), list(s.Needs)})
					continue
				}
				fmt.Fprintf(c.OutOrStdout(), "%-28s %-24s %s\n", s.Name, strings.Join(s.Covers, " "),
					strings.Join(s.Hosts, " "))
			}
			return nil
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "one object per line on stdout")
	return c
}

// list makes an absent list an empty one in JSON.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}
