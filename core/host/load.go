package host

import "iter"

// Load is how much an agent has under way, for those who hold it against a bound.
type Load struct {
	Agent string
	// Start counts the agent's starts since boot, Turns its turns.
	Start, Turns uint64
	// Deadlines are set and have not passed.
	Deadlines int
	// Calls are asked for or kept with their outcome; Runs have begun and not really ended.
	Calls, Runs int
}

// Loads yields the load of every agent in roster order.
func (k *Kernel) Loads() iter.Seq[Load] {
	return func(yield func(Load) bool) {
		for _, p := range k.procs {
			l := Load{Agent: p.Name, Start: p.start, Turns: p.Turn, Deadlines: len(p.wakes)}
			for _, t := range p.tables {
				l.Calls += len(t.calls)
				l.Runs += len(t.fences)
			}
			if !yield(l) {
				return
			}
		}
	}
}
