package host

import "github.com/evetwin/evetwin/core/bus"

// Reseed has all draws from here on be others than those of the seed alone: what links take, what
// parts draw for themselves and for their runs. What was drawn stays, and so do names that derive
// from the seed and the order of what happens at one time. An agent draws anew from its next start
// on: a start has one base of draws, which recordings hold.
//
// The number is as in Options.Branch, which the driver gives to the boots to come.
func (k *Kernel) Reseed(to uint64) {
	k.base = branch(k.name, to)
	for _, p := range k.procs {
		k.relink(&p.Source)
	}
	for _, pt := range k.parts {
		k.relink(&pt.Source)
	}
}

func (k *Kernel) relink(s *Source) {
	for _, l := range s.links {
		if l != nil {
			l.draws = linkBase(k.base, s, l.To)
		}
	}
}

// branch is where the draws of a device begin.
func branch(name, to uint64) uint64 {
	if to == 0 {
		return name
	}
	var s bus.Sum
	s.Word(name)
	s.Word(to)
	return s.Value()
}
