package hub

import (
	"fmt"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/agent"
)

// Agent is the life of an agent in this boot, as far as the hub is told of it.
type Agent struct {
	Name string
	// PID is its process, 0 while there is none.
	PID int
	// Starts counts its processes. A process that joins again is no start.
	Starts uint64
	// Turns counts its turns; those that change nothing are known with the next one that does. Last is
	// when that was, since boot.
	Turns uint64
	Last  time.Duration
	// Condition is how it does, Why is why it does not do well.
	Condition wire.Condition
	Why       string

	before uint64        // turns of earlier processes
	ailed  time.Duration // when it was said to be slow, since boot
}

// slowFor is how long an agent counts as slow after that was said: a process says so again if it
// still is, and does not say that it is well before its next turn.
const slowFor = time.Minute

// Agents are the lives of all agents, in the order of the hub's options.
func (h *Hub) Agents() []Agent {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]Agent, 0, len(h.o.Agents))
	for _, e := range h.o.Agents {
		a := Agent{Name: e.Name}
		if l := h.lives[e.Name]; l != nil {
			a = *l
		}
		if a.Condition == wire.Slow && h.sinceBoot() > a.ailed+slowFor {
			a.Condition, a.Why = wire.Well, ""
		}
		out = append(out, a)
	}
	return out
}

// sinceBoot is the time since the device booted; mu is held.
func (h *Hub) sinceBoot() time.Duration {
	if h.boot == nil {
		return 0
	}
	return sinceBoot() - time.Duration(h.boot.life.Booted)
}

// lifeOf is that of an agent; mu is held.
func (h *Hub) lifeOf(name string) *Agent {
	l := h.lives[name]
	if l == nil {
		l = &Agent{Name: name}
		h.lives[name] = l
	}
	return l
}

// begins notes that a process is some agents; mu is held.
func (h *Hub) begins(s *session) {
	for _, name := range s.hello.Agents {
		l := h.lifeOf(name)
		if s.hello.Life == "" || l.Starts == 0 {
			l.Starts++
			l.before = l.Turns
		}
		l.PID, l.Condition, l.Why = s.peer.PID, wire.Well, ""
	}
}

// ends notes that an agent has no process; mu is held.
func (h *Hub) ends(name string) {
	l := h.lifeOf(name)
	l.PID = 0
}

// turned notes a turn; mu is held.
func (s *session) turned(name string, number uint64) {
	if s.h.boot == s.b {
		l := s.h.lifeOf(name)
		l.Turns, l.Last = l.before+number, s.h.sinceBoot()
	}
}

// said passes a log line of the process on.
func (s *session) said(body []byte) error {
	l, err := wire.ReadLine(body)
	if err == nil && s.h.o.OnSaid != nil {
		s.h.o.OnSaid(l.From, l.At, agent.Line{Level: l.Level, About: l.About, Text: l.Text})
	}
	return err
}

// health notes how an agent of the process does.
func (s *session) health(body []byte) error {
	x, err := wire.ReadHealth(body)
	if err != nil {
		return err
	}
	if x.Agent < 0 || x.Agent >= len(s.hello.Agents) {
		return fmt.Errorf("health of agent number %d", x.Agent)
	}
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if s.h.boot == s.b {
		l := s.h.lifeOf(s.hello.Agents[x.Agent])
		l.Condition, l.Why, l.ailed = x.Condition, x.Why, s.h.sinceBoot()
	}
	return nil
}
