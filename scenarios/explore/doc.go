// Package explore looks for schedules of faults under which the agents break a rule: it runs a
// scenario for many seeds on all cores, each seed in a world of its own, under a plan of faults
// drawn from the seed, with the rules of core/check judging every change.
//
// A seed is one run. Seeds go in rounds: in each round most seeds get a fresh plan, some get a mix
// of their own with a plan that reached states which no run before it had reached. Which plans are
// mixed is decided between the rounds, in order of the seeds, so the same call gives the same runs
// on any number of cores, and of machines: jobs may be carried out by a Crew elsewhere. Plans that
// are not mixed are given out ahead of their round, so nobody waits at its end.
//
// With Options.Forks most seeds are forks: they begin as another run, up to an instant of their
// own, and go on with other draws and other faults. A run and its forks are one job, since the
// forks play what they have in common from a tape of what its agents did. A fork of a run that
// failed, or that was not onboarded by then, is a whole life of its own, so that a failure counts
// once.
//
// A run that breaks a rule is shrunk: the plan that is left is the smallest found that still breaks
// the same rule. It becomes a file of the corpus, which holds all that is needed to run it again:
// scenario, seed, plan, and where a fork branched off, unless it fails without that too.
package explore
