package operator

import (
	"context"
	"fmt"

	device "github.com/evetwin/evetwin/core/device/operator"
)

// Loop runs f on the device's loop and waits for it.
type Loop func(ctx context.Context, f func()) error

// Wait asks from another goroutine and waits for the answer. A request whose answer comes too late
// is carried out all the same.
func (p *Part) Wait(ctx context.Context, on Loop, q device.RequestSeen) (Answer, error) {
	got := make(chan Answer, 1)
	var refused error
	err := on(ctx, func() { refused = p.Ask(q, func(a Answer) { got <- a }) })
	if err == nil {
		err = refused
	}
	if err != nil {
		return Answer{}, fmt.Errorf("ask for %s: %w", q.Kind, err)
	}
	select {
	case a := <-got:
		return a, nil
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("ask for %s: no answer: %w", q.Kind, ctx.Err())
	}
}
