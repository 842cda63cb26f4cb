// Package sim is the virtual host: many devices in one world, in virtual time, on one goroutine,
// reproducible from a seed.
//
// All that happens is an event on one heap, ordered by time, then by the link or agent it belongs
// to, then by a count of that link's or agent's own. Nothing depends on the order of insertion, so
// a newcomer moves nobody else's events. Every delay is drawn from a key: the link and the
// publisher's turn.
//
// A World is used by one goroutine at a time; several worlds, one seed each, use several cores.
package sim
