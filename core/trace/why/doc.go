// Package why finds the causes of a row in a recording: the turn that put it, what of the input of
// that turn moved it, the turn that put that, and so on, back to an observation of a device part,
// an answer from outside, a fault or a start.
//
// A recording says what a turn was shown, not what of it the agent used. Of all that was new to a
// turn, one thing is taken as the cause of a row it put:
//
//   - what is about the same thing goes first: its key is the row's key, or else one of the two
//     keys holds the other ("uuid" and "uuid.1.1"); for deadlines, the name of one;
//   - of these an outcome of a call goes before a row, a row before a deadline;
//   - then the newest.
//
// So a cause may be wrong where a turn was shown several things at once; Link.Others counts the
// rest. A row moves a turn if it was put since the agent was last shown its topic. A full turn at
// the start of an agent is an end of the chain, unless what it was shown is about the row. An
// outcome leads to the turn that asked for the call, except those that are an end: faults, and
// answers to web.Send that have a body. A row of a device part leads to the call of that part that
// was running, about the same thing if there are several; without one it is an observation.
package why
