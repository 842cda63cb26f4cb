package plan

// Dry carries a graph to its end on paper: every call that is wanted succeeds, and calls in
// flight count as not made. It returns the actions of each plan in turn; the actions of one round
// may run side by side. Tests compare it with what they expect, tools show it to people.
func Dry(g Graph) ([][]Action, error) {
	g.InFlight = nil
	seen := make(map[string]Item, len(g.Seen))
	for _, it := range g.Seen {
		seen[it.Key] = it
	}
	var rounds [][]Action
	for {
		steps, err := Plan(g)
		if err != nil || len(steps.Want) == 0 {
			return rounds, err
		}
		rounds = append(rounds, steps.Want)
		for _, a := range steps.Want {
			if a.Verb == Delete {
				delete(seen, a.Key)
				continue
			}
			seen[a.Key] = *a.Item
		}
		g.Seen = make([]Item, 0, len(seen))
		for _, it := range seen { //order: Plan sorts its input
			g.Seen = append(g.Seen, it)
		}
	}
}
