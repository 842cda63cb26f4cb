// Package source brings what a device shows to the terminal.
//
// A Source yields batches: what is new since the batch before, the newest value of a row only.
// There are three kinds. A Feed stands in the process of a device: the device's loop tells it
// little and never waits for it, each Reader of it takes what differs when it has time. Serve
// hands a feed on over a unix socket, Dial is the other end. A Script plays recorded or invented
// batches; Demo is one.
//
// A reader that is slow sees fewer steps, never old ones, and costs the device nothing: what it
// missed is the difference of two tables, not a queue.
//
// State keeps what batches told: tables, agents, log lines, milestones. It is what pages draw.
package source
