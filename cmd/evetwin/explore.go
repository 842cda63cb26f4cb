package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// exploreGC is how many per cent the heap may grow between collections: a world is a few MiB, and
// collecting a quarter as often as usual saves a sixth of the time, for 170 MiB with two jobs.
const exploreGC = 400

// defaultForks is --forks. Forks are faster than whole lives, but they share the luck of their
// beginning: planted mistakes showed in as many of 96 seeds, or in fewer (32 and 15, 9 and 2).
const defaultForks = 0

type exploreFlags struct {
	seeds, first uint64
	during       time.Duration
	faults       string
	jobs         int
	forks        int
	farm         farmFlags
	save         string
	record       string
	plant        string
	json         bool
}

func exploreCommand() *cobra.Command {
	var f exploreFlags
	c := &cobra.Command{Use: "explore SCENARIO...",
		Short: "Look for schedules of faults that break a rule",
		Long: "explore runs scenarios for many seeds on all cores, each under a plan of faults drawn\n" +
			"from its seed, and holds every change to the rules. A run that breaks one is made small\n" +
			"and saved; the command that replays it is printed with it." + farmHelp,
		Args: cli.Usage(func(c *cobra.Command, names []string) error {
			if f.plant != "" || f.farm.work {
				return nil // the bug says where it shows, the coordinator what is explored
			}
			return cobra.MinimumNArgs(1)(c, names)
		}),
		RunE: func(c *cobra.Command, names []string) error {
			if f.farm.work {
				return exploreWork(c, names, &f)
			}
			if f.plant != "" && f.farm.url == "" {
				return explorePlanted(c, names, f)
			}
			return exploreAll(c, names, f)
		}}
	l := c.Flags()
	l.Uint64Var(&f.seeds, "seeds", 0, "how many seeds of each scenario (default 200, without --for)")
	l.Uint64Var(&f.first, "first", 1, "the first seed")
	l.DurationVar(&f.during, "for", 0, "how long to look, for each scenario")
	l.StringVar(&f.faults, "faults", fault.Flaky, strings.Join(fault.Profiles(), ", "))
	l.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "how many worlds run at a time")
	l.IntVar(&f.forks, "forks", defaultForks, "how many of the seeds are forks of each seed that is "+
		"a whole life: they begin as it, and go on with other luck and other faults")
	l.StringVar(&f.save, "save", "",
		"folder for failures (default: the corpus of this checkout, else one below the state folder)")
	l.StringVar(&f.record, "record", "",
		"folder for a recording of each failure, and for its case unless --save says otherwise")
	l.StringVar(&f.plant, "plant", "",
		"a mistake to plant in the agents first, or \"list\" (builds with -tags planted)")
	f.farm.add(l)
	l.BoolVar(&f.json, "json", false, "one object per scenario on stdout")
	return c
}

// exploreResult is the contract of "evetwin explore".
type exploreResult struct {
	Scenario string `json:"scenario"`
	OK       bool   `json:"ok"`
	Error    string `json:"error,omitempty"`
	Profile  string `json:"profile"`
	Seeds    uint64 `json:"seeds"`
	// Forks is how many of the seeds were forks.
	Forks       uint64  `json:"forks"`
	Violations  int     `json:"violations"`
	SeedsPerMin float64 `json:"seeds_per_min"`
	// CPUS is the processor time it took, which other work of the machine does not change.
	CPUS float64 `json:"cpu_s"`
	// Workers is how many took part, Redelivered how many runs had been given out before: --farm.
	Workers     int               `json:"workers"`
	Redelivered uint64            `json:"redelivered"`
	Faults      uint64            `json:"faults"`
	States      int               `json:"states"`
	Rules       map[string]uint64 `json:"rules"`
	Unjudged    []string          `json:"unjudged"`
	Failures    []exploreFailure  `json:"failures"`
}

type exploreFailure struct {
	Seed   uint64 `json:"seed"`
	Rule   string `json:"rule"`
	Saw    string `json:"saw"`
	Faults int    `json:"faults"`
	File   string `json:"file"`
	Replay string `json:"replay"`
	// Recording is the file that "evetwin replay" reads, where failures are recorded.
	Recording string `json:"recording,omitempty"`
}

func exploreAll(c *cobra.Command, names []string, f exploreFlags) error {
	defer debug.SetGCPercent(debug.SetGCPercent(exploreGC))
	list, err := pick(names)
	if err != nil {
		return cli.Refuse(err)
	}
	profile, err := fault.Named(f.faults)
	if err != nil {
		return cli.Refuse(fmt.Errorf("--faults: %w", err))
	}
	if f.seeds == 0 && f.during == 0 {
		f.seeds = 200
	}
	if len(names) == 1 && names[0] == "all" {
		list = underFaults(list, profile)
	}
	for _, sc := range list {
		if !sc.Faults && profile.Name != fault.None {
			return cli.Refuse(fmt.Errorf("explore %s: it does not run under faults; --faults none does",
				sc.Name))
		}
		if err := explore.CheckForks(sc, f.forks); err != nil {
			return cli.Refuse(fmt.Errorf("--forks %d: %w", f.forks, err))
		}
	}
	work, err := openFarm(c.ErrOrStderr(), &f)
	if err != nil {
		return err
	}
	defer work.close()
	ok := true
	for _, sc := range list {
		if work != nil {
			work.many = len(list) > 1
		}
		r, err := exploreOne(c, sc, profile, f, work)
		if err != nil {
			return err
		}
		ok = ok && r.OK
		if f.json {
			line(c.OutOrStdout(), r)
		} else {
			explorePrint(c.OutOrStdout(), r)
		}
	}
	if !ok {
		return cli.ErrReported
	}
	return c.Context().Err()
}

func underFaults(list []*scenario.Scenario, p fault.Profile) (out []*scenario.Scenario) {
	for _, s := range list {
		if s.Faults || p.Name == fault.None {
			out = append(out, s)
		}
	}
	return out
}

// exploreOne explores one scenario.
func exploreOne(c *cobra.Command, sc *scenario.Scenario, p fault.Profile, f exploreFlags,
	work *farming,
) (*exploreResult, error) {
	ctx := c.Context()
	if f.during > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, f.during)
		defer stop()
	}
	r := &exploreResult{Scenario: sc.Name, Profile: p.Name, Rules: map[string]uint64{},
		Unjudged: []string{}, Failures: []exploreFailure{}}
	show, cpu := newProgress(c.ErrOrStderr(), sc.Name), cpuTime()
	var trouble error
	hands, err := work.begin(ctx, sc, p, f.first, show)
	if err != nil {
		return nil, err
	}
	sum, err := explore.Explore(ctx, explore.Options{Scenario: sc, First: f.first, Seeds: f.seeds,
		Profile: p, Crew: hands.explore(), Jobs: f.jobs, Forks: f.forks, OnSeed: show.seed,
		OnFailure: func(x *explore.Failure) {
			kept, err := f.keep(sc, x)
			if err != nil && trouble == nil {
				trouble = err
			}
			r.Failures = append(r.Failures, kept)
			show.failure(x)
		}})
	show.end()
	r.Workers, r.Redelivered = hands.took()
	if err = work.end(hands, err == nil && ctx.Err() == nil, err); err != nil {
		return nil, err
	}
	r.Forks, r.CPUS = sum.Forks, (cpuTime() - cpu).Seconds()
	r.Seeds, r.Faults, r.States, r.SeedsPerMin = sum.Seeds, sum.Faults, sum.States, sum.PerMinute()
	r.Violations = int(sum.Violations)
	for _, n := range sum.Judged {
		r.Rules[n.Rule] = n.N
	}
	r.Unjudged = append(r.Unjudged, sum.Unjudged()...)
	switch {
	case trouble != nil:
		r.Error = trouble.Error()
	case r.Violations > 0:
		r.Error = fmt.Sprintf("%d of %d seeds break a rule", r.Violations, r.Seeds)
	case len(r.Unjudged) > 0 && sc.Exhausts:
		r.Error = "rules that had nothing to judge prove nothing: " + strings.Join(r.Unjudged, ", ")
	}
	r.OK = r.Error == ""
	return r, trouble
}

func explorePrint(out io.Writer, r *exploreResult) {
	verdict := "ok"
	if !r.OK {
		verdict = "FAILED: " + r.Error
	}
	fmt.Fprintf(out, "%s under %s: %d seeds, %.0f a minute, %d faults, %d states  %s\n", r.Scenario,
		r.Profile, r.Seeds, r.SeedsPerMin, r.Faults, r.States, verdict)
	if r.Workers > 1 || r.Redelivered > 0 {
		fmt.Fprintf(out, "  by %d workers, %d runs given out again\n", r.Workers, r.Redelivered)
	}
	fmt.Fprintln(out, "  judged  rule")
	for _, n := range sortedRules(r.Rules) {
		fmt.Fprintf(out, "  %6s  %s\n", short(r.Rules[n]), n)
	}
	for _, x := range r.Failures {
		fmt.Fprintf(out, "  seed %d breaks %s, with %d faults\n    %s\n    %s\n", x.Seed, x.Rule,
			x.Faults, clean(x.Saw), x.Replay)
		if x.Recording != "" {
			fmt.Fprintf(out, "    evetwin replay %s\n", x.Recording)
		}
	}
}
