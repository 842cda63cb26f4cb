// Package pack writes rows and results as bytes and reads them back: exact, short, and shorter
// still where a value is like the one before it.
//
// A value is written as what differs from a base, which is the value that it replaced or nothing.
// A struct is the list of its leaves, structs within it laid flat; written are the gaps to the
// leaves that differ, each plus one, each with the leaf behind it, and a zero at the end. Numbers
// are varints of a difference, durations of the difference to the base or to now, whichever is
// shorter. Texts of at most 64 bytes get a number when they first occur. Longer texts and bytes are
// patches of the text or bytes that stood in the same place last.
//
// What is written exactly are the kinds that package bus takes: numbers to the bit (NaN too),
// texts that are no UTF-8, nil and empty slices apart, times to the nanosecond with the offset of
// their zone, though not its name.
//
// Types are described in the stream (Coder.Describe), so values can be read without the Go type
// they were written from, and into one that has gained or lost fields since: fields go by their
// names, as in JSON.
//
// # Types
//
// A type is described by a letter: b bool, i signed, d 64 bits signed, u unsigned, f and g floats
// of 64 and 32 bits, s text, y bytes, t time, a address, p prefix, q address and port. "[T" is a
// slice, "*T" a pointer, "(n)T" an array, "on)" one of bytes, "{Name T;Name T}" a struct.
package pack
