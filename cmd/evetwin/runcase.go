package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// runCase runs a saved failure again, with its faults and all rules.
func runCase(c *cobra.Command, f runFlags) error {
	x, sc, err := readCase(f.again)
	if err != nil {
		return cli.Refuse(err)
	}
	var around []scenario.Around
	done := func() error { return nil }
	if f.record != "" {
		r, err := taping.Create(f.record)
		if err != nil {
			return err
		}
		around, done = []scenario.Around{recording.Around{Recorder: r.Recorder}}, r.Close
	}
	began := time.Now()
	r, err := explore.Replay(sc, x, around...)
	if err != nil {
		return errors.Join(err, done())
	}
	res := scenario.Result{Name: sc.Name, Host: scenario.Virtual, Seed: x.Seed, OK: r.Rule == "",
		VirtualS: r.Took.Seconds(), Trace: r.Trace, Turns: r.Turns, WallS: time.Since(began).Seconds()}
	if !res.OK {
		res.Error = r.Rule + ": " + r.Saw
	}
	if err := done(); err != nil && res.OK {
		res.OK, res.Error = false, "end the run: "+err.Error()
	}
	if !f.json {
		for i := range x.Faults {
			fmt.Fprintf(c.ErrOrStderr(), "  %s\n", x.Faults[i].String())
		}
		if len(x.Without) > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "  without %s\n", strings.Join(x.Without, ", "))
		}
		if x.Until > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "  until %gs\n", float64(x.Until))
		}
		for _, b := range x.Branches {
			fmt.Fprintf(c.ErrOrStderr(), "  from %gs on with the draws of seed %d\n", float64(b.At),
				b.Seed)
		}
	}
	report(c.OutOrStdout(), io.Discard, res, runFlags{faults: fault.None, json: f.json})
	if !res.OK {
		return cli.ErrReported
	}
	return nil
}

// readCase reads a case and plants what it was found with.
func readCase(file string) (*corpus.Case, *scenario.Scenario, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read the case: %w", err)
	}
	x, err := corpus.Read(file, b)
	if err != nil {
		return nil, nil, err
	}
	sc, err := scenarios.Find(x.Scenario)
	if err == nil && x.Plant != "" {
		err = plant.Set(x.Plant)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return x, sc, nil
}
