// Package storm carries a fault plan out on the device of a run in virtual time.
//
// A Storm stands around the first device of a run (scenario.Around). Each kind of fault is an entry
// of one table: whether the device has what the fault is about, how it is injected and how it is
// healed. What several faults act on at once (a cable, a clock, a server) is computed from all that
// hold, so they may overlap and end in any order. A fault that has nothing to act on, because the
// device is off or has no such part, is missed: it is counted, and nothing else.
package storm
