package explore

import (
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/fault"
)

// Whatever faults are needed are found, and little else is left, in few runs.
func TestShrink(t *testing.T) {
	list := make([]fault.Fault, 40)
	for i := range list {
		list[i] = fault.Fault{Kind: fault.LinkDown, At: fault.Seconds(i), For: 64}
	}
	for _, need := range [][]int{{}, {7}, {0, 39}, {3, 4, 30}, {1, 9, 17, 25, 33}} {
		runs := 0
		s := shrinker{left: 400, fails: func(got []fault.Fault) bool {
			runs++
			for _, n := range need {
				i := slices.IndexFunc(got, func(f fault.Fault) bool { return f.At == list[n].At })
				if i < 0 || got[i].For < 8 {
					return false
				}
			}
			return true
		}}
		got := s.shrink(list, time.Hour)
		if len(got) != len(need) {
			t.Fatalf("%d faults are left of which %v are needed: %v", len(got), need, got)
		}
		for i, f := range got {
			if f.At != list[need[i]].At || f.For != 8 {
				t.Errorf("fault %d is %v", i, &f)
			}
		}
		if runs != 400-s.left || runs > 150 {
			t.Errorf("%d runs for %v", runs, need)
		}
		if list[7].For != 64 {
			t.Fatal("the plan itself was changed")
		}
	}
}

// Faults behind the failure go at once, and nothing is spent beyond what may be.
func TestShrinkWithinItsMeans(t *testing.T) {
	list := make([]fault.Fault, 40)
	for i := range list {
		list[i] = fault.Fault{Kind: fault.LinkDown, At: fault.Seconds(i)}
	}
	s := shrinker{left: 1, fails: func([]fault.Fault) bool { return true }}
	if got := s.shrink(list, 9*time.Second); len(got) != 10 || s.left != 0 {
		t.Errorf("%d faults, %d runs left", len(got), s.left)
	}
}

// Parts go as long as the failure stays, all at once where that can be.
func TestSmaller(t *testing.T) {
	parts := []string{"a", "b", "c", "d"}
	for _, need := range [][]string{nil, {"b"}, {"a", "d"}, parts} {
		runs := 0
		s := shrinker{left: 20}
		got := s.smaller(parts, nil, func(without []string) bool {
			runs++
			return !slices.ContainsFunc(need, func(p string) bool { return slices.Contains(without, p) })
		})
		for _, p := range parts {
			if slices.Contains(got, p) == slices.Contains(need, p) {
				t.Errorf("of %v, %v are left out", need, got)
			}
		}
		if runs != 20-s.left || len(need) == 0 && runs != 1 {
			t.Errorf("%d runs for %v", runs, need)
		}
	}
}
