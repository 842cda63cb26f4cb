package zedbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Steps run as soon as what they wait for is done, and side by side where they may.
func TestWalkFollowsTheGraph(t *testing.T) {
	var mu sync.Mutex
	var done []string
	note := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, name)
	}
	// Each of two steps waits until the other has begun: one behind the other they would hang.
	beside := func(name string, mine, other chan struct{}) Step {
		return Step{Name: name, After: []string{"hub"}, Do: func(ctx context.Context) error {
			close(mine)
			select {
			case <-other:
			case <-ctx.Done():
				return ctx.Err()
			}
			note(name)
			return nil
		}}
	}
	a, b := make(chan struct{}), make(chan struct{})
	err := Walk(t.Context(), []Step{
		{Name: "last", After: []string{"a", "b"}, Do: func(context.Context) error {
			note("last")
			return nil
		}},
		beside("a", a, b), beside("b", b, a),
		{Name: "hub", Do: func(context.Context) error { note("hub"); return nil }}})
	if err != nil || len(done) != 4 || done[0] != "hub" || done[3] != "last" {
		t.Errorf("%v: %v", done, err)
	}
}

// A step that goes wrong ends those under way, and those that wait never begin.
func TestWalkEndsWithTheFirstFailure(t *testing.T) {
	broken := errors.New("broken")
	var began []string
	err := Walk(t.Context(), []Step{
		{Name: "hub", Do: func(context.Context) error { return broken }},
		{Name: "beside", Do: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
		{Name: "behind", After: []string{"hub"}, Do: func(context.Context) error {
			began = append(began, "behind")
			return nil
		}}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "step hub") || began != nil {
		t.Errorf("%v, began %v", err, began)
	}
}

// What could never be done is refused before anything is.
func TestWalkRefusesACircle(t *testing.T) {
	did := false
	do := func(context.Context) error { did = true; return nil }
	for _, list := range [][]Step{
		{{Name: "a", After: []string{"b"}, Do: do}, {Name: "b", After: []string{"a"}, Do: do}},
		{{Name: "a", After: []string{"nobody"}, Do: do}},
	} {
		if err := Walk(t.Context(), slices.Clone(list)); err == nil || did {
			t.Errorf("%v, did %v", err, did)
		}
	}
}
