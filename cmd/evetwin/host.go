package main

import (
	"context"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// newHost makes a host for one run; done ends it.
func newHost(ctx context.Context, on string, seed uint64) (scenario.Host, func() error, error) {
	if on == scenario.Virtual {
		h, err := scenario.NewVirtual(seed)
		return h, func() error { return nil }, err
	}
	return scenario.NewLive(ctx, scenario.LiveOptions{Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}})
}
