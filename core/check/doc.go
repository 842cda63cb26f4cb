// Package check holds a device to rules: what must never happen (safety, judged at every change),
// and what must come true at last once nothing disturbs the device any more (liveness, judged at
// the end).
//
//	c := check.New(check.Rules(), "edge")
//	c.OnBroken = func(v *check.Violation) { panic(v) } // stop at once; nil: collect
//	options.Hooks = options.Hooks.Join(c.Hooks())      // rows, runs of ops, crashes, boots
//	...
//	c.Healed()                                         // from here on nothing disturbs the device
//	... at least check.Patience of virtual time ...
//	c.End()                                            // liveness rules judge
//	c.Violations(); c.Judged()
//
// A Checker belongs to one device and outlives its boots; a new boot is noticed by the first thing
// that is shown of it. Package scenarios/judge puts checkers around the devices of a scenario and
// tells them what reaches the controller.
//
// A Rule makes its state in New and says there what it wants to hear, by topic and by op, so that a
// row or a run that no rule cares about costs one look-up. It calls Ear.Judged whenever it really
// had something to judge: a rule that never judges proves nothing, and whoever explores treats
// that as a failure of the rule. A rule only looks: a trace is the same with it and without.
//
// Rules speak of rows and runs as they are visible, never of what an agent thinks. Publishers are
// not ordered among each other, so a rule that compares two of them allows for what the second one
// had not been shown yet, with a stated grace.
package check
