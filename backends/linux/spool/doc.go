// Package spool is the part log of a real Linux: lines of agents, of the host and of guests'
// consoles go to files below /persist/newlog/collect, as EVE has them there.
//
//	Line, Console ──▶ queue in memory ──▶ one goroutine ──▶ files
//
// Who says a line never waits: the goroutine writes what has come together, every 800 ms at most,
// and sleeps when nothing is said. What does not fit into the queue, and what the disk does not
// take, is counted. Package logspool says which files there are.
//
// Files that somebody removes are noticed by inotify; a line that was written to a file whose
// removal is not yet known goes to the next one.
package spool
