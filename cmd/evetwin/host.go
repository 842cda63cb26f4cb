package main

import (
	"context"
	"fmt"

	"github.com/evetwin/evetwin/scenarios/scenario"
)

// newHost makes a host for one run; done ends it.
func newHost(_ context.Context, on string, seed uint64) (h scenario.Host, done func(), err error) {
	if on == scenario.Virtual {
		h, err = scenario.NewVirtual(seed)
		return h, func() {}, err
	}
	return nil, nil, fmt.Errorf("no host %s", on)
}
