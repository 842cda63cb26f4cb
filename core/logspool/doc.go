// Package logspool decides which files log lines go to, when a file is full, and which files go for
// want of space. It is pure: the part log of a device carries it out over a Disk.
//
//	lines ──▶ Queue (bounded) ──▶ Spool ──▶ dev.log.upload.<ms>      the device's
//	                                  └───▶ app.<uuid>.log.<ms>      of an application's console
//
// A file begins with a line about its stream and holds an entry, a JSON object, per line, as EVE's
// newlogd collects them. A file takes no more lines when it has its size or its age; that a file
// has its age is seen by its name, so nobody is woken for it. The oldest files go when there are
// too many or too much, and their lines count as dropped.
//
// EVE: docs/LOGGING.md. There the device's lines go to two files, one of them kept; here there is
// one, and what is kept is decided where files leave the spool.
package logspool
