// Package host is what both hosts share: it gives agents their turns, commits what they did as one
// unit, carries rows and outcomes over links, and runs calls on device parts.
//
// A Kernel is one boot of one device. It is driven by a Driver, which knows what time it is, how
// long a delivery takes and what is durable: host/sim drives it from an event heap in virtual
// time, host/live from a loop goroutine in real time. A Kernel is not safe for use by several
// goroutines.
//
// The order of effects of a turn: persistent rows durable; rows visible; calls dropped and started;
// deadlines set. A turn that panics has no effect.
//
// A device part publishes through a Part and serves ops with Serve. Its code runs on the device's
// loop, in short steps: Run.After for what takes time in the model, Run.Go for real work that
// blocks.
package host
