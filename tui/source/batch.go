package source

import (
	"context"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Source is where the terminal gets what it shows.
type Source interface {
	// Next waits for something new. It returns io.EOF when nothing more will come, and the
	// context's error when that ends.
	Next(ctx context.Context) (*Batch, error)
	// Do asks the device for something, on behalf of the operator.
	Do(ctx context.Context, r Request) error
}

// Batch is what is new.
type Batch struct {
	// At is the local time at which the batch was made.
	At time.Time
	// Reset says that what was told before is void, and that this is all there is now.
	Reset bool
	// Old says that Rows are no news: they belong to a snapshot that comes in pieces.
	Old bool
	// Rows are rows put and deleted, at most one change for each row.
	Rows []Change
	// Agents are agents whose life moved on.
	Agents []Agent
	// Lines are log lines, oldest first.
	Lines []Line
	// Lost counts log lines that were dropped before Lines.
	Lost int
	// Marks are milestones reached.
	Marks []Mark
	// Device is the device as a whole, nil when nothing about it changed.
	Device *Device
	// Link is how the device is reached, nil when that did not change.
	Link *Link
}

// Empty reports whether the batch tells nothing.
func (b *Batch) Empty() bool {
	return !b.Reset && len(b.Rows) == 0 && len(b.Agents) == 0 && len(b.Lines) == 0 &&
		b.Lost == 0 && len(b.Marks) == 0 && b.Device == nil && b.Link == nil
}

// Change is a row put or deleted.
type Change struct {
	Topic string // "owner/Name"
	Key   string
	Rev   uint64
	// Val is a pointer to the topic's row type, or json.RawMessage where that type is not known
	// here; nil means deleted.
	Val any
}

// Health is how an agent is doing.
type Health uint8

// States of an agent's health.
const (
	Running Health = iota
	Slow           // takes turns too long or too often, and is slowed down
	Stopped        // broke too often, and was given up until the next boot
)

// String is the state in a word.
func (h Health) String() string {
	return [...]string{"running", "slow", "stopped"}[min(h, Stopped)]
}

// Agent is the life of one agent.
type Agent struct {
	Name   string
	Starts uint64 // since boot; more than 1 means that it crashed
	Turns  uint64 // since boot
	Health Health
	Why    string        // of Slow and Stopped, for people
	Last   time.Duration // since boot: its last turn, 0 before the first
}

// Line is a log line and where it comes from.
type Line struct {
	From string        // an agent, or "host"
	At   time.Duration // since boot
	agent.Line
}

// Mark is a milestone of the device: onboarded, downloaded, answered.
type Mark struct {
	Name string
	At   time.Duration // since boot
	Text string        // what else there is to say: a URL, a count
}

// Device is the device as a whole.
type Device struct {
	Name string
	Boot uint64        // counts from 1
	Up   time.Duration // since boot, when the batch was made
	Wall time.Time     // the device's own clock then
	Runs bool          // the clocks go on by themselves
	Off  bool          // the power is off
}

// Link is how the device is reached.
type Link struct {
	Lost  bool   // the connection is gone; what is shown is old
	Why   string // of Lost, and of Write refused, for people
	Write bool   // requests are carried out
}
