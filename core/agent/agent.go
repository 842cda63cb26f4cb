// Package agent defines what an agent is, and all that a turn lets it touch.
//
// An agent is a step machine. Its host gives it turns; each turn it reads its tables, recomputes
// what should be, and writes the difference: rows put and deleted, calls wanted and dropped,
// deadlines set. The turn is a transaction: nothing in it has effect before Step returns, and a
// panic discards it whole. Then the host commits in this order: persistent rows durable, rows
// visible, calls started, deadlines set, lines written.
//
// A turn says that something changed, not what to do about it. Putting an equal row or wanting an
// equal call is a no-op, so a recompute needs no flags. What an agent must remember is a row, of
// life Local if nobody else is to see it: its host may rebuild it from New between any two turns.
package agent

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/bus"
)

// Agent is a step machine. Its fields are wiring, set by New, and never change afterwards.
type Agent interface {
	// Step runs to completion: no I/O, no goroutine, no clock, no global randomness.
	Step(t *Turn)
}

// New builds an agent: it attaches to its tables and ops and does nothing else.
type New func(p bus.Port) Agent

// Entry is an agent of a roster: its name, under which it publishes, and its constructor.
type Entry struct {
	Name string
	New  New
	// Turns is how many turns it may take in a minute if they are more than others may: an agent that
	// follows many objects through many states declares that it comes in bursts. 0: as others.
	Turns int
}

// Turn is one run-to-completion step.
type Turn struct {
	// Now is the time since the device booted, monotonic; it decides.
	Now time.Duration
	// Wall may jump both ways; it is only for reports, certificates and schedules.
	Wall time.Time
	// Full says that every Changed yields every row: the first turn, and at random in virtual
	// time. A full turn in which nothing moved must put nothing.
	Full bool

	host Host
}

// Host is what a runtime implements below a Turn.
type Host interface {
	Wake(key string, at time.Duration)
	Unwake(key string)
	Due() []string
	Draw(key string) uint64
	Log(Line)
}

// NewTurn is for hosts.
func NewTurn(h Host) *Turn { return &Turn{host: h} }

// WakeAt asks for a turn at a time since boot. There is one deadline per key; setting it again to
// the same time does nothing, so a recompute may repeat it. A time that is not in the future
// panics: compare with Now first, or the agent would spin. Deadlines are lost when the agent
// crashes: keep in a row what they are derived from.
func (t *Turn) WakeAt(key string, at time.Duration) {
	if at <= t.Now {
		panic("agent: deadline " + key + " at " + at.String() + " is not after " + t.Now.String())
	}
	t.host.Wake(key, at)
}

// Unwake drops a deadline; none is fine.
func (t *Turn) Unwake(key string) { t.host.Unwake(key) }

// Due lists, in key order, the deadlines that have passed since the last turn; they are spent.
func (t *Turn) Due() []string { return t.host.Due() }

// IsDue reports whether the deadline of key has passed since the last turn.
func (t *Turn) IsDue(key string) bool {
	_, ok := slices.BinarySearch(t.host.Due(), key)
	return ok
}

// Rand is a source of randomness drawn for key, the same for the same seed, device, agent, start of
// the agent and key, whatever else happened. Put what is to differ into the key: "config/17".
func (t *Turn) Rand(key string) *rand.Rand {
	x := t.host.Draw(key)
	return rand.New(rand.NewPCG(x, bus.Mix(x)))
}

// Between draws a duration in [from, to) for key, as Rand does but without allocating.
func (t *Turn) Between(key string, from, to time.Duration) time.Duration {
	if to <= from {
		return from
	}
	return from + time.Duration(t.host.Draw(key)%uint64(to-from))
}

// Line is one log line; it goes to the log spool, never to a table.
type Line struct {
	Level Level
	About string // key of the entity it is about: application, volume, port; may be empty
	Text  string
}

// Level orders lines by weight.
type Level uint8

// Levels, lightest first.
const (
	Debug Level = iota
	Info
	Warn
	Err
)

// String is the level's name as EVE's logs have it.
func (l Level) String() string { return [...]string{"debug", "info", "warning", "error"}[l] }

// Log writes a line about an entity.
func (t *Turn) Log(l Level, about, text string) { t.host.Log(Line{l, about, text}) }
