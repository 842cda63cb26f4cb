package check

import (
	"fmt"
	"time"
)

// Rule is one thing that must hold.
type Rule struct {
	// Name is in lower case with dashes, and unique.
	Name string
	// Covers are the numbered behaviours the rule stands for; empty for what only this
	// implementation promises.
	Covers []string
	// Says is the rule in one sentence.
	Says string
	// Live marks a liveness rule: it judges in Checker.End alone, and only a device that was left in
	// peace for Patience.
	Live bool
	// New makes the rule's state for one device and says what it wants to hear.
	New func(e *Ear)
}

// Violation is a rule that did not hold.
type Violation struct {
	// Rule is its name, Device whose.
	Rule   string `json:"rule"`
	Device string `json:"device"`
	// Boot counts from 1; At is since then.
	Boot uint64        `json:"boot"`
	At   time.Duration `json:"at"`
	// Where is the topic ("owner/Name"), op or agent it showed at, Key which row or run.
	Where string `json:"where"`
	Key   string `json:"key"`
	// Saw is what was seen, in a sentence.
	Saw string `json:"saw"`
}

// String is the violation on one line. It names the rule first, so that runs that break the same
// rule can be told from others.
func (v *Violation) String() string {
	return fmt.Sprintf("rule %s is broken on %s, boot %d at %v, %s %s: %s", v.Rule, v.Device, v.Boot,
		v.At.Round(time.Microsecond), v.Where, v.Key, v.Saw)
}

// Error is String: a run that was stopped by a violation fails with it.
func (v *Violation) Error() string { return v.String() }

// Count is how often a rule had something to judge.
type Count struct {
	Rule string `json:"rule"`
	N    uint64 `json:"n"`
}

// Patience is how long a device has, once nothing disturbs it any more, to become what its
// configuration says and to tell the controller so.
const Patience = 30 * time.Minute

// Grace is how much later than it changed a row may still be taken for true by another agent:
// deliveries take milliseconds, a slowed agent takes its turn seconds later.
const Grace = time.Minute
