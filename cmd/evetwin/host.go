package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/linux"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// zedboxBeside is the program zedbox in the folder of this one.
func zedboxBeside() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return filepath.Join(filepath.Dir(self), "zedbox"), nil
}

// newHost makes a host for one run, in virtual time with those who stand around its devices,
// recorded into a file if that is named; done ends it.
func newHost(ctx context.Context, on string, seed uint64, record string, around ...scenario.Around,
) (h scenario.Host, done func() error, err error) {
	switch {
	case on == scenario.Linux:
		program, err := zedboxBeside()
		if err != nil {
			return nil, nil, err
		}
		x, err := linux.New(ctx, linux.Options{Program: program,
			Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}})
		if err != nil {
			return nil, nil, err
		}
		return x, x.Close, nil
	case on != scenario.Virtual:
		return scenario.NewLive(ctx,
			scenario.LiveOptions{Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}})
	case record == "":
		h, err = scenario.NewVirtualWorld(sim.Options{Seed: seed}, nil, around...)
		return h, func() error { return nil }, err
	}
	r, err := taping.Create(record)
	if err != nil {
		return nil, nil, err
	}
	around = append(slices.Clip(around), recording.Around{Recorder: r.Recorder})
	h, err = scenario.NewVirtualWorld(sim.Options{Seed: seed}, nil, around...)
	if err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	return h, r.Close, nil
}
