package proof

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Failed lists the tests that failed and the packages that do not build, sorted.
func (t *Tally) Failed() []string {
	out := slices.Sorted(slices.Values(t.failed))
	return slices.Compact(out)
}

// Errors lists what is wrong with names and lines: numbers that do not exist, names that claim too
// much.
func (t *Tally) Errors() []string {
	var out []string
	for _, err := range t.errs {
		out = append(out, err.Error())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Counts returns how many behaviours have been proven, and how many of them on real parts.
func (t *Tally) Counts() (proven, real int) {
	for _, b := range All() {
		list := t.proofs[b]
		if len(list) > 0 {
			proven++
		}
		if slices.ContainsFunc(list, func(p Proof) bool { return p.Place.Real() }) {
			real++
		}
	}
	return proven, real
}

// Write prints a line per behaviour with the places and tests that proved it, and last the sum.
func (t *Tally) Write(w io.Writer) error {
	for _, b := range All() {
		if _, err := fmt.Fprintf(w, "%-7s %s\n", b, t.proofsOf(b)); err != nil {
			return fmt.Errorf("write behaviours: %w", err)
		}
	}
	proven, real := t.Counts()
	_, err := fmt.Fprintf(w, "%d of %d behaviours proven, %d of them on real parts\n", proven,
		len(All()), real)
	if err != nil {
		return fmt.Errorf("write behaviours: %w", err)
	}
	return nil
}

// proofsOf writes the proofs of one behaviour, by place. A test is named once, not once more for
// each of its subtests.
func (t *Tally) proofsOf(b Behaviour) string {
	list := slices.Clone(t.proofs[b])
	if len(list) == 0 {
		return "-"
	}
	slices.SortFunc(list, func(a, b Proof) int {
		return cmp.Or(cmp.Compare(slices.Index(places, a.Place), slices.Index(places, b.Place)),
			cmp.Compare(a.Test, b.Test))
	})
	var parts []string
	for _, place := range places {
		var tests []string
		for _, p := range list {
			inside := slices.ContainsFunc(tests, func(up string) bool {
				return strings.HasPrefix(p.Test, up+"/")
			})
			if p.Place == place && !inside {
				tests = append(tests, p.Test)
			}
		}
		if len(tests) > 0 {
			parts = append(parts, string(place)+": "+strings.Join(tests, " "))
		}
	}
	return strings.Join(parts, "; ")
}
