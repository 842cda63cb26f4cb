// Package trace writes down what agents were told and what they did, reads it back, and finds the
// first difference of two recordings. Package replay runs agents from a recording.
//
// A recording is a stream of frames. A Boot begins what there is of a boot: a Table for each topic
// that holds something and a Start for each agent follow, so a recording may begin at any time
// (Recorder.Begin) and has all that is needed to go on from there: rows, Local ones too, calls,
// deadlines, and the number that a start's draws derive from. Each turn of an agent is one frame:
// its input (clocks, topics shown up to which revision, deadlines that passed, outcomes of calls)
// and its output (rows, calls, deadlines). Each row is in the stream once, with its topic and
// revision: in the frame of the turn that put it or, if a device part put it, in a Seen frame. A
// Start also says that an agent has crashed and begun anew.
//
// # What is not in it
//
// Log lines; requests of calls, of which there is a checksum of 32 bits; the seed of the device,
// although a start's draws let someone who knows this program find it: keys that are derived from a
// seed are those of models. Secrets were never in rows or results, so they are not in recordings.
// How long a turn took is not in it, nor are turns that panicked and were discarded.
//
// # Format
//
// The text "evtrace2" and a line feed, then blocks: the block's length as a varint, its CRC-32C,
// four bytes, lowest first, and its frames as one S2 block. A frame is its length as a varint, a
// byte that says what it is (b Boot, h Table, s Start, p Seen, t Turn), and its fields. Numbers are
// varints, signed ones zigzag; times and revisions are written as their distance to the last; texts
// and pairs of texts of at most 64 bytes get a number when they first occur; values are written as
// package pack says, against the row that was replaced or the topic's last one. So a recording is
// read from its beginning. What a torn one has is its whole blocks. A block is written when 64 KiB
// of frames are there, and at Recorder.Flush.
//
// Other versions of the format are refused (ErrForeign). Row types may differ: fields go by name.
//
// # Cost
//
// A quiet device (a running application, exchanges every 39 s in the mean) takes 1.2 MiB a day. A
// Recorder copies what a turn was told and did, and a Writer encodes it in batches: on the device's
// loop, or beside it (taping.Beside). Beside it, the loop of a simulated quiet device takes 2
// to 3 % more time, that of a short life under faults 3 to 6 %. With the writer, all processor time
// is some 12 % and 15 to 20 % more: where no second core is free, that is what a recording costs by
// the clock. "evetwin bench record" measures all this. The recorder remembers 65,536 texts and as
// many pairs, and the last value of each topic and op.
package trace
