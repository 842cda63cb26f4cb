package source

import (
	"cmp"
	"slices"
	"time"
)

const (
	// keepLines bounds the log that a terminal keeps.
	keepLines = 5000
	// History is how many seconds of activity are kept.
	History = 60
)

// State is all that batches told. Its fields are for reading.
type State struct {
	Device Device
	// DeviceAt is the local time at which Device was true.
	DeviceAt time.Time
	Link     Link
	LinkAt   time.Time // local, since when
	Agents   []Life    // in the order in which they came
	Marks    []Mark    // by time
	Lines    []Line    // oldest first
	// FirstLine is the number of Lines[0] among all lines ever, so that a place in the log stays
	// when old lines go.
	FirstLine int
	LostLines int
	// Changes counts rows changed; ChangeRate has how many in each of the last seconds.
	Changes    int
	ChangeRate Pulse
	Tables     []*Table // by name
	meters     map[string]*Meter
}

// Life is an agent and how busy it has been.
type Life struct {
	Agent
	Since time.Time // local: since when its health is what it is
	Pulse Pulse     // turns in each of the last seconds
}

// Pulse is a count of something in each of the last seconds.
type Pulse struct {
	past  [History]int
	total uint64 // at the last beat
}

// Last returns the newest n seconds, oldest first.
func (p *Pulse) Last(n int) []int { return p.past[History-max(0, min(n, History)):] }

// beat ends a second in which the total rose to now.
func (p *Pulse) beat(now uint64) {
	copy(p.past[:], p.past[1:])
	p.past[History-1] = 0
	if now > p.total {
		p.past[History-1] = int(now - p.total)
	}
	p.total = now
}

// NewState is a state that was told nothing.
func NewState() *State { return &State{meters: map[string]*Meter{}} }

// Apply takes a batch.
func (s *State) Apply(b *Batch) {
	if b.Reset {
		link, at := s.Link, s.LinkAt
		*s = *NewState()
		s.Link, s.LinkAt = link, at
	}
	for i := range b.Rows {
		s.row(&b.Rows[i], b.At, b.Reset || b.Old)
	}
	for i := range b.Agents {
		s.agent(&b.Agents[i], b.At)
	}
	for _, m := range b.Marks {
		s.Marks = slices.DeleteFunc(s.Marks, func(x Mark) bool { return x.Name == m.Name })
		s.Marks = append(s.Marks, m)
	}
	slices.SortStableFunc(s.Marks, func(a, b Mark) int { return cmp.Compare(a.At, b.At) })
	s.Lines = append(s.Lines, b.Lines...)
	s.LostLines += b.Lost
	if n := len(s.Lines) - keepLines; n > keepLines/4 {
		s.Lines = slices.Clone(s.Lines[n:])
		s.FirstLine += n
	}
	if b.Device != nil {
		s.Device, s.DeviceAt = *b.Device, b.At
	}
	if b.Link != nil {
		s.Link, s.LinkAt = *b.Link, b.At
	}
}

func (s *State) agent(a *Agent, at time.Time) {
	i := slices.IndexFunc(s.Agents, func(l Life) bool { return l.Name == a.Name })
	if i < 0 {
		s.Agents = append(s.Agents, Life{Agent: *a, Since: at, Pulse: Pulse{total: a.Turns}})
		return
	}
	l := &s.Agents[i]
	if l.Health != a.Health {
		l.Since = at
	}
	l.Agent = *a
}

// Beat ends a second, for all that is counted by the second.
func (s *State) Beat() {
	for i := range s.Agents {
		s.Agents[i].Pulse.beat(s.Agents[i].Turns)
	}
	s.ChangeRate.beat(uint64(s.Changes))
}

// Up is how long the device has been up, at a local time.
func (s *State) Up(now time.Time) time.Duration { return s.Device.Up + s.since(now) }

// Wall is the device's clock at a local time.
func (s *State) Wall(now time.Time) time.Time {
	if s.Device.Wall.IsZero() {
		return time.Time{}
	}
	return s.Device.Wall.Add(s.since(now))
}

func (s *State) since(now time.Time) time.Duration {
	if !s.Device.Runs || s.Link.Lost || now.Before(s.DeviceAt) {
		return 0
	}
	return now.Sub(s.DeviceAt)
}
