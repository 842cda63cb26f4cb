// Package live is the host in real time: one loop goroutine per device gives the agents their
// turns, real work runs on goroutines of its own and comes back to the loop.
//
// An idle device has one goroutine and one timer. Rows reach their subscribers in the instant they
// are committed; persistent rows when the journal on disk has them. A turn that panics is
// discarded, the agent rebuilt and tried again, and given up after the third time in a row. An
// agent that spins is slowed down to ten turns a second. Stopping is a crash with manners: no more
// turns, calls are cancelled, they have ten seconds, the journal is synced.
package live
