package zedbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Step is something to do while a device starts.
type Step struct {
	Name string
	// After are the steps that must be done before.
	After []string
	// Do returns when the step is done.
	Do func(ctx context.Context) error
}

// Walk does steps, each as soon as those that it waits for are done, and returns when all are. The
// first that goes wrong ends the rest. A step that waits for one that is not there, or for itself,
// is an error before anything is done.
func Walk(ctx context.Context, steps []Step) error {
	if err := check(steps); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := map[string]chan struct{}{}
	for _, s := range steps {
		done[s.Name] = make(chan struct{})
	}
	var all sync.WaitGroup
	for _, s := range steps {
		all.Go(func() {
			for _, a := range s.After {
				select {
				case <-done[a]:
				case <-ctx.Done():
					return
				}
			}
			if err := s.Do(ctx); err != nil {
				stop(fmt.Errorf("step %s: %w", s.Name, err))
				return
			}
			close(done[s.Name])
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// check finds steps that would wait for ever.
func check(steps []Step) error {
	left := slices.Clone(steps)
	var done []string
	for len(left) > 0 {
		n := len(left)
		left = slices.DeleteFunc(left, func(s Step) bool {
			for _, a := range s.After {
				if !slices.Contains(done, a) {
					return false
				}
			}
			done = append(done, s.Name)
			return true
		})
		if len(left) == n {
			var err error
			for _, s := range left {
				err = errors.Join(err, fmt.Errorf("step %s waits for %v for ever", s.Name, s.After))
			}
			return err
		}
	}
	return nil
}
