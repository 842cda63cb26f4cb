package explore

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/fault"
)

// shrinker looks for a smaller plan that fails in the same way.
type shrinker struct {
	// fails runs a plan and reports whether it fails as the first one did.
	fails func(list []fault.Fault) bool
	// left is how many runs may still be spent.
	left int
}

// try runs a plan, unless nothing may be spent any more.
func (s *shrinker) try(list []fault.Fault) bool {
	if s.left <= 0 {
		return false
	}
	s.left--
	return s.fails(list)
}

// shrink returns the smallest plan it finds, of faults that acted before the failure at at: first
// fewer faults, by halves, then each alone, then shorter ones.
func (s *shrinker) shrink(list []fault.Fault, at time.Duration) []fault.Fault {
	early := slices.DeleteFunc(slices.Clone(list), func(f fault.Fault) bool {
		return f.At.Duration() > at
	})
	if len(early) < len(list) && s.try(early) {
		list = early
	}
	if len(list) > 0 && s.try(nil) {
		return nil
	}
	for size := (len(list) + 1) / 2; size > 0 && len(list) > 1; {
		smaller := s.without(list, size)
		if len(smaller) == len(list) {
			if size == 1 {
				break
			}
			size = (size + 1) / 2
			continue
		}
		list = smaller
		size = min(size, (len(list)+1)/2)
	}
	return s.shorter(list)
}

// without leaves out pieces of a size wherever the plan still fails without them.
func (s *shrinker) without(list []fault.Fault, size int) []fault.Fault {
	for i := 0; i < len(list) && len(list) > 1; {
		rest := slices.Delete(slices.Clone(list), i, min(i+size, len(list)))
		if s.try(rest) {
			list = rest
		} else {
			i += size
		}
	}
	return list
}

// shorter halves how long faults last, while the plan still fails.
func (s *shrinker) shorter(list []fault.Fault) []fault.Fault {
	for i := range list {
		for list[i].For.Duration() > time.Second {
			less := slices.Clone(list)
			less[i].For /= 2
			if !s.try(less) {
				break
			}
			list = less
		}
	}
	return list
}
