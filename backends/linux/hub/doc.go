// Package hub runs a device whose agents are separate processes. The hub owns the tables, the
// journal and the parts of the device; agents are its clients over a unix socket (package join).
//
//	agents A, B   core/host kernel of their own: Step, limits, deadlines
//	   │  turns, calls            ▲  newest tables, outcomes, what is durable
//	   ▼                          │
//	hub           tables as JSON · journal · a relay per agent that calls ops · device parts
//
// What holds, whoever is killed:
//
//   - A turn is shown whole, in the order of its publisher's turns, and when it has persistent
//     rows only once those are on disk.
//   - A publisher's rows outlive its process. When it returns it is shown them, and then
//     replaces its table as a whole, in one step.
//   - The call of a process that died is cancelled; its key stays fenced until the run has
//     really ended. Limits of ops and widths of classes hold over all processes.
//   - When the hub dies nothing is lost but what was under way: processes keep their tables and
//     say them again, with the calls that they still want; until a publisher has done so, its
//     subscribers keep what they last saw of it.
//   - A reader that is slow or stopped costs a pointer per topic: it is sent the newest of a
//     table when it reads again, never what was between. Nobody waits for it.
//   - Rows pass through as JSON, byte by byte: fields that the hub does not know, and all 64
//     bits of an integer, arrive. A row that a subscriber cannot read is set aside there and
//     named, and the table does not count as complete for it.
//
// Only root may connect, a topic takes rows from its owner alone, and one process at a time is the
// agent of a name.
//
// The socket is a stream. Measured on this kernel, a round trip of 300 to 1,000 bytes between two
// processes takes 13-15 us over a stream and over SOCK_SEQPACKET alike, and a datagram cannot hold
// a table.
package hub
