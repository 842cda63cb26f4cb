// Package replay runs agents from a recording alone: no host, no device, no controller. Each agent
// is given the turns it had, with the tables, deadlines, outcomes and clocks it was shown, and what
// it does is held against what it did. The first turn that differs is named.
//
// On the program that made the recording nothing differs: a step machine has no other input. On
// another program the difference answers the question whether it would have behaved otherwise. An
// agent that has differed is not replayed any further, as what it was shown from there on answers
// to what it had done; the others are, from what the recording says of it. One agent can be
// replayed alone.
//
// What a recording does not say, so that a replay may differ where it should not: stored rows of a
// newer program that were set aside (their table is never complete on the device). Limits on churn
// are not held.
package replay
