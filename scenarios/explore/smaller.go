package explore

import (
	"slices"

	"github.com/evetwin/evetwin/core/fault"
)

// smaller leaves parts of the scenario out, all that can be at once or one by one, as long as it
// still fails under the plan, and returns what is left out. fails runs a plan without some parts.
func (s *shrinker) smaller(parts []string, list []fault.Fault,
	fails func(without []string) bool,
) (without []string) {
	before := s.fails
	defer func() { s.fails = before }()
	try := func(names []string) bool {
		s.fails = func([]fault.Fault) bool { return fails(names) }
		return s.try(list)
	}
	if len(parts) > 1 && try(parts) {
		return slices.Clone(parts)
	}
	for _, p := range parts {
		if more := append(slices.Clone(without), p); try(more) {
			without = more
		}
	}
	return without
}
