package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/dryrun"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/snapshot"
	"github.com/evetwin/evetwin/scenarios/storm"
)

const runLong = `run carries scenarios out, in virtual time unless --host says otherwise.

  evetwin run standard --save-at 10m FILE      save the run as it is after ten minutes, and go on
  evetwin run --from FILE                      go on from there: the same run
  evetwin run --from FILE --seed 7             ... with the luck of another seed
  evetwin run --from FILE --faults flaky       ... with other faults from there on
  evetwin run --from FILE --config device.json ... and another configuration instead of the rest
  evetwin run --from FILE --save-at 20m FILE2  save a fork, to fork it again`

// runFork is what the command line says of where a run is saved and where it goes on.
type runFork struct {
	saveAt time.Duration
	from   string
	config string
	during time.Duration
}

func (f *runFork) flags(c *cobra.Command) {
	l := c.Flags()
	l.DurationVar(&f.saveAt, "save-at", 0,
		"save the run at this time of it in the file that is the last argument")
	l.StringVar(&f.from, "from", "",
		"file of a saved run: go on from there, with --seed or --faults or --config in another way")
	l.StringVar(&f.config, "config", "", "with --from: device configuration, JSON, that the "+
		"controller gives the device instead of what the scenario would do")
	l.DurationVar(&f.during, "for", time.Hour, "with --config: how long the device lives with it")
}

// saveArgs wants the scenario, unless a saved run says which, and a file.
func (f *runFork) saveArgs(c *cobra.Command, args []string) error {
	want := 2
	if f.from != "" {
		want = 1
	}
	if err := cobra.ExactArgs(want)(c, args); err != nil {
		return fmt.Errorf("--save-at wants one scenario, or --from, and a file: %w", err)
	}
	if f.saveAt < 0 {
		return fmt.Errorf("--save-at %v: no time of a run", f.saveAt)
	}
	return nil
}

// course is a run that is saved or goes on from where another one was saved.
type course struct {
	sc      *scenario.Scenario
	life    snapshot.Life
	around  []scenario.Around
	arrival *snapshot.Arrival // nil for a run from its beginning
	saver   *snapshot.Saver
	file    string
	instead *snapshot.Instead
}

// runLife runs a course.
func runLife(c *cobra.Command, args []string, f runFlags) error {
	x, err := newCourse(c, args, &f)
	if err != nil {
		return cli.Refuse(err)
	}
	done := func() error { return nil }
	if f.record != "" {
		r, err := taping.Create(f.record)
		if err != nil {
			return err
		}
		x.around, done = append(x.around, recording.Around{Recorder: r.Recorder}), r.Close
	}
	began := time.Now()
	h, err := x.life.Begin(x.around...)
	if err != nil {
		return errors.Join(err, done())
	}
	r := x.sc.Run(h, x.life.Seed)
	if x.instead != nil {
		x.instead.Finish(h, &r)
	}
	r.WallS = time.Since(began).Seconds()
	if x.saver != nil {
		err = x.saver.Write(x.file, h.Now())
	}
	if err := errors.Join(err, done()); err != nil && r.OK {
		r.OK, r.Error = false, err.Error()
	} else if err != nil {
		fmt.Fprintln(c.ErrOrStderr(), "evetwin:", err)
	}
	report(c.OutOrStdout(), io.Discard, r, f)
	if r.OK {
		return nil
	}
	switch {
	case x.arrival == nil || x.arrival.Come() && !x.arrival.Strayed():
		fmt.Fprintf(c.ErrOrStderr(), "%sreplay: %s\n", r.Causes, x.command(f))
	case !x.arrival.Come():
		fmt.Fprintf(c.ErrOrStderr(), "evetwin: the run did not come to the saved state at all\n")
	}
	return cli.ErrReported
}

// command is how the run is made again.
func (x *course) command(f runFlags) string {
	out := "evetwin run " + x.sc.Name
	if f.from != "" {
		out = "evetwin run --from " + f.from
	}
	for _, o := range []struct {
		name, value string
		said        bool
	}{
		{"seed", f.seeds, f.from == "" || f.seeds != ""},
		{"faults", f.faults, f.faults != "" && (f.from != "" || f.faults != fault.None)},
		{"config", f.config, f.config != ""}, {"for", f.during.String(), f.config != ""},
	} {
		if o.said {
			out += " --" + o.name + " " + o.value
		}
	}
	return out
}

// newCourse reads what the command line says.
func newCourse(c *cobra.Command, args []string, f *runFlags) (*course, error) {
	if f.host != scenario.Virtual {
		return nil, fmt.Errorf("--host %s: runs are saved and forked on virtual only", f.host)
	}
	if f.saveAt > 0 && f.config != "" {
		return nil, errors.New("--config: a run that leaves its scenario cannot be saved")
	}
	x := &course{}
	var err error
	if f.from != "" {
		err = x.continued(c, f)
	} else {
		err = x.fresh(args[0], f)
	}
	if err != nil || f.saveAt == 0 {
		return x, err
	}
	x.file = args[len(args)-1]
	x.saver = snapshot.Save(x.life, f.saveAt, cli.Revision())
	x.around = append(x.around, x.saver)
	return x, nil
}

// fresh is a course from the beginning.
func (x *course) fresh(name string, f *runFlags) (err error) {
	if f.config != "" {
		return errors.New("--config goes with --from")
	}
	if x.sc, err = scenarios.Find(name); err != nil {
		return err
	}
	from, to, err := scenario.Seeds(f.seeds)
	if err != nil || from != to {
		return fmt.Errorf("--seed %s: one seed is saved at a time", f.seeds)
	}
	if f.profile, err = fault.Named(f.faults); err != nil {
		return fmt.Errorf("--faults: %w", err)
	}
	if !x.sc.RunsOn(scenario.Virtual) || !x.sc.Faults && f.faults != fault.None {
		return fmt.Errorf("run %s: it does not run on virtual under --faults %s", name, f.faults)
	}
	x.life = snapshot.Life{Scenario: name, Seed: from}
	if f.faults != fault.None {
		x.life.Profile = f.faults
		x.life.Faults = fault.Draw(f.profile, from, storm.Usual(), x.sc.Span).Faults
	}
	return nil
}

// continued is a course from where another one was saved.
func (x *course) continued(c *cobra.Command, f *runFlags) error {
	b, err := os.ReadFile(f.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	s, err := snapshot.Read(f.from, b)
	if err != nil {
		return err
	}
	if x.sc, err = scenarios.Find(s.Scenario); err != nil {
		return fmt.Errorf("%s: %w", f.from, err)
	}
	at := s.At.Duration()
	if f.saveAt > 0 && f.saveAt <= at {
		return fmt.Errorf("--save-at %v: the run goes on from %v", f.saveAt, at)
	}
	x.life = s.Life
	if !c.Flags().Changed("seed") {
		f.seeds = ""
	} else if from, to, err := scenario.Seeds(f.seeds); err != nil || from != to {
		return fmt.Errorf("--seed %s: a fork has one seed", f.seeds)
	} else {
		x.life = x.life.Reseeded(at, from)
	}
	if !c.Flags().Changed("faults") {
		f.faults = ""
	} else if err := x.replan(at, f); err != nil {
		return err
	}
	x.arrival = s.Arrive(cli.Revision())
	x.around = append(x.around, x.arrival)
	if f.config == "" {
		return nil
	}
	cfg, err := x.read(c, f.config)
	if err != nil {
		return err
	}
	if f.during <= 0 {
		return fmt.Errorf("--for %v: it must be more than nothing", f.during)
	}
	x.instead = snapshot.Configure(&x.life, at, f.during, cfg)
	x.around = append(x.around, x.instead.Around()...)
	return nil
}

func (x *course) replan(at time.Duration, f *runFlags) (err error) {
	if f.profile, err = fault.Named(f.faults); err != nil {
		return fmt.Errorf("--faults: %w", err)
	}
	span := x.sc.Span
	if f.config != "" {
		span = at + f.during
	}
	if f.faults != fault.None && (!x.sc.Faults && f.config == "" || span <= at) {
		return fmt.Errorf("--faults %s: from %v on %s does not run under faults", f.faults, at, x.sc.Name)
	}
	x.life = x.life.Replanned(at, f.profile, span)
	return nil
}

// read reads a device configuration; what is no part of its format is told on stderr.
func (x *course) read(c *cobra.Command, file string) (*config.EdgeDevConfig, error) {
	in, err := dryrun.Read(dryrun.Options{Config: file, Bootstrap: dryrun.None})
	var no *dryrun.Refusal
	if errors.As(err, &no) {
		return nil, errors.New(strings.Join(no.Lines, again))
	}
	if err != nil {
		return nil, err
	}
	for _, u := range in.Unknown {
		fmt.Fprintf(c.ErrOrStderr(), "evetwin: %s: unknown field\n", u)
	}
	return in.Config, nil
}
