package explore

import (
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/fault"
)

// mixes is how many of ten runs mix their plan with that of a run which reached new states.
const mixes = 4

// plan makes the plan of a seed.
func (x *exploration) plan(seed uint64) fault.Plan {
	fresh := fault.Draw(x.o.Profile, seed, x.menu, x.o.Scenario.Span)
	if len(x.parents) == 0 || !mixed(seed) {
		return fresh
	}
	parent := x.parents[draw(seed, "parent", 0)%uint64(len(x.parents))]
	fresh.Faults = mix(seed, parent.Faults, fresh.Faults)
	return fresh
}

// mixed reports whether the plan of a seed is mixed, if there is one to mix it with.
func mixed(seed uint64) bool { return draw(seed, "mix", 0)%10 < mixes }

// mix takes most faults of a parent and some of a newcomer, in the order they begin.
func mix(seed uint64, parent, fresh []fault.Fault) []fault.Fault {
	var out []fault.Fault
	for i, f := range parent {
		if draw(seed, "keep", uint64(i))%4 > 0 {
			out = append(out, f)
		}
	}
	for i, f := range fresh {
		if draw(seed, "add", uint64(i))%4 == 0 {
			out = append(out, f)
		}
	}
	fault.Sort(out)
	return out
}

func draw(seed uint64, what string, n uint64) uint64 {
	var s bus.Sum
	s.Word(seed)
	s.String(what)
	s.Word(n)
	return s.Value()
}
