package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// Parts names what a scenario can do without: deeds of its owner, pieces of its devices. Its
// expectations then are those of the smaller life, so that one which fails without a part fails for
// the reason it failed with it.
func Parts(names ...string) Option { return func(s *Scenario) { s.Parts = names } }

// Without is the scenario less some of its parts.
func (sc *Scenario) Without(parts ...string) (*Scenario, error) {
	for _, p := range parts {
		if !slices.Contains(sc.Parts, p) {
			return nil, fmt.Errorf("scenario %s has no part %q that can be left out, only: %s", sc.Name, p,
				strings.Join(sc.Parts, ", "))
		}
	}
	less := *sc
	less.without = parts
	return &less, nil
}

// Has reports whether a part is not left out. It panics if the scenario does not name it.
func (s *S) Has(part string) bool {
	if !slices.Contains(s.sc.Parts, part) {
		panic("scenario: " + s.sc.Name + " does not name its part " + part)
	}
	return !slices.Contains(s.sc.without, part)
}
