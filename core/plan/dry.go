package plan

import (
	"cmp"
	"slices"
)

// Dry carries a graph to its end on paper: every call that is wanted succeeds, and calls in
// flight count as not made. It returns the actions of each plan in turn; the actions of one round
// may run side by side. Tests compare it with what they expect, tools show it to people.
func Dry(g Graph) ([][]Action, error) {
	g.InFlight = nil
	g.Seen = byKey(g.Seen, itemKey)
	var rounds [][]Action
	for {
		steps, err := Plan(g)
		if err != nil || len(steps.Want) == 0 {
			return rounds, err
		}
		rounds = append(rounds, steps.Want)
		g.Seen = after(g.Seen, steps.Want)
	}
}

// after returns what is seen, by key, when all actions have succeeded.
func after(seen []Item, actions []Action) []Item {
	actions = slices.Clone(actions)
	slices.SortFunc(actions, func(a, b Action) int { return cmp.Compare(a.Key, b.Key) })
	out := make([]Item, 0, len(seen)+len(actions))
	for _, a := range actions {
		for len(seen) > 0 && seen[0].Key < a.Key {
			out, seen = append(out, seen[0]), seen[1:]
		}
		if len(seen) > 0 && seen[0].Key == a.Key {
			seen = seen[1:]
		}
		if a.Verb != Delete {
			out = append(out, *a.Item)
		}
	}
	return append(out, seen...)
}
