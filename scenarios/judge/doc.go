// Package judge puts checkers of core/check around the devices of a scenario in virtual time: it
// gives them the hooks of every device, the records on their way to its journal, and what the
// controller took.
//
//	j := judge.New(judge.Options{Rules: check.Rules(), Stop: true})
//	h, err := scenario.NewVirtualWorld(o, nil, faults, j) // behind those who cut the power
//	r := sc.Run(h, seed)           // with Stop, a violation ends the run: r.Error names the rule
//	if r.OK {
//		j.Settle()                 // heals what the scenario left, and lets Patience go by
//	}
//	j.Violations(); j.Judged()
package judge
