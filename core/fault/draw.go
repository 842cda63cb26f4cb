package fault

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/bus"
)

// Draw makes a plan for a span of time, after which all is well. Each seed has a part of the
// profile's kinds: what is left out matters as much as what is there. Faults are in the order they
// begin.
func Draw(profile Profile, seed uint64, menu Menu, span time.Duration) Plan {
	p := Plan{Seed: seed, Profile: profile.Name, Faults: []Fault{}}
	for _, r := range profile.Rates {
		x := dice{seed, r.Kind}
		if x.roll("on", 0)%100 >= uint64(r.Seeds) {
			continue
		}
		most := max(1, uint64(math.Round(2*r.PerHour*span.Hours()))) // so that the mean is PerHour
		for i := range 1 + x.roll("count", 0)%most {
			if f, ok := x.fault(&r, i, &menu, Seconds(span.Seconds())); ok {
				p.Faults = append(p.Faults, f)
			}
		}
	}
	Sort(p.Faults)
	return p
}

// Sort puts faults into the order they begin; those of one time keep theirs.
func Sort(list []Fault) {
	slices.SortStableFunc(list, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
}

// dice are the draws of one kind under one seed.
type dice struct {
	seed uint64
	kind Kind
}

func (x dice) roll(what string, i uint64) uint64 {
	var s bus.Sum
	s.Word(x.seed)
	s.String(string(x.kind))
	s.String(what)
	s.Word(i)
	return s.Value()
}

// fault draws fault number i; false where the menu has nothing for it or the span is too short.
func (x dice) fault(r *Rate, i uint64, menu *Menu, span Seconds) (Fault, bool) {
	f := Fault{Kind: r.Kind}
	if what := r.Kind.On(); what != Nothing {
		list := menu.Of(what)
		if len(r.On) > 0 {
			list = intersect(list, r.On)
		}
		if len(list) == 0 {
			return f, false
		}
		f.On = x.pick(list, i)
	}
	f.For = x.between("for", i, r.Least, r.Most)
	if r.Low != r.High {
		f.Value = r.Low + int64(x.roll("value", i)%uint64(r.High-r.Low+1))
	} else {
		f.Value = r.Low
	}
	if len(r.Values) > 0 {
		f.Value = r.Values[x.roll("value", i)%uint64(len(r.Values))]
	}
	if r.Nth > 0 {
		f.N = 1 + x.roll("n", i)%r.Nth
	}
	room := span - Seconds(f.End().Seconds()) // its time is 0 yet
	if room <= 0 {
		return f, false
	}
	f.At = x.between("at", i, 0, room)
	return f, true
}

// between draws a time, to the millisecond.
func (x dice) between(what string, i uint64, from, to Seconds) Seconds {
	n := uint64(math.Round(float64(to-from) * 1000))
	if n == 0 {
		return from
	}
	ms := math.Round(float64(from)*1000) + float64(x.roll(what, i)%(n+1))
	return Seconds(ms / 1000)
}

// pick draws a name such that a newcomer to the list takes a draw for itself at most, and moves no
// other: of the draws of all names the highest wins.
func (x dice) pick(list []string, i uint64) string {
	best, top := "", uint64(0)
	for _, name := range list {
		if v := x.roll("on/"+name+"/"+strconv.FormatUint(i, 10), 1); v >= top {
			best, top = name, v
		}
	}
	return best
}

func intersect(list, only []string) []string {
	var out []string
	for _, n := range list {
		if slices.Contains(only, n) {
			out = append(out, n)
		}
	}
	return out
}
