package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// newHost makes a host for one run, in virtual time with those who stand around its devices,
// recorded into a file if that is named; done ends it.
func newHost(ctx context.Context, on string, seed uint64, record string, around ...scenario.Around,
) (h scenario.Host, done func() error, err error) {
	switch {
	case on != scenario.Virtual:
		return scenario.NewLive(ctx,
			scenario.LiveOptions{Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}})
	case record == "":
		h, err = scenario.NewVirtualWorld(sim.Options{Seed: seed}, nil, around...)
		return h, func() error { return nil }, err
	}
	f, err := os.Create(record)
	if err != nil {
		return nil, nil, fmt.Errorf("record the run: %w", err)
	}
	b := bufio.NewWriter(f)
	rec := trace.NewRecorder(b)
	h, err = scenario.NewVirtualWorld(sim.Options{Seed: seed}, rec.OnTurn, around...)
	return h, func() error {
		if err := errors.Join(rec.Close(), b.Flush(), f.Close()); err != nil {
			return fmt.Errorf("record the run: %w", err)
		}
		return nil
	}, err
}
