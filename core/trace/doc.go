// Package trace writes down what agents were told and what they did, reads it back, and finds the
// first difference of two recordings.
//
// A recording is a stream of frames. Each turn of an agent is one frame: its input (clocks, topics
// shown up to which revision, deadlines that passed, outcomes of calls) and its output (rows,
// calls, deadlines, a checksum of all of it). Each row is in the stream once, as JSON, with its
// topic and revision: rows of agents in the frame of the turn that put them, rows of device parts
// in the frame of the first turn that was shown them. The first turn of every boot is preceded by
// a snapshot of all tables, so a recording may begin at any time.
//
// Secrets were never in rows, so they are not in recordings. Log lines and requests of calls are
// not written down, nor rows of parts that no agent was ever shown. Calls and deadlines that were
// under way when a recording began in the middle of a life are not in its snapshot. The package
// does not run agents: a Reader gives frames back, no more.
//
// # Format
//
// The text "evtrace1" and a line feed, then frames. A frame is its length (a varint), a byte that
// says what it is, and its fields one after the other. Numbers are varints, signed ones zigzag.
// Texts of at most 64 bytes get a number when they first occur and are referred to by it later.
package trace
