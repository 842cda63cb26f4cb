// Package netpart is what the parts over the network of a kernel have in common, whatever they keep
// there: how such a part lives, and how it keeps a namespace.
//
//	Part, Life    from one Wire to the next: opens the machine on a goroutine, has ops wait for it,
//	              publishes what was seen before the outcome of the op that caused it
//	Machine       one change at a time, each followed by a look at the kernel; events cause a look,
//	              too, and nothing is polled
//	Watcher       rings when something has changed
//	Fault         the outcome that stands for an error
//
// A part has a machine of its own, which embeds Machine, and a picture of its own, which holds the
// rows of all its tables as they were at one moment.
package netpart
