package sim

import (
	"time"

	"github.com/evetwin/evetwin/core/host"
)

// event is something that happens at a time. Of two at the same time the one with the lower phase
// goes first, then the lower tie, then the lower n.
type event struct {
	at    time.Duration // of the world
	tie   uint64
	n     uint64
	phase uint8
	kind  uint8
	boot  *boot
	link  *host.Link
	batch *host.Batch
	proc  *host.Proc
	run   func()
}

// Phases of an instant: what arrives comes before the turns that see it.
const (
	arriving uint8 = iota
	stepping
)

// Kinds of events.
const (
	deliver uint8 = iota
	alarm
	turn
	call
)

func (e *event) before(o *event) bool {
	switch {
	case e.at != o.at:
		return e.at < o.at
	case e.phase != o.phase:
		return e.phase < o.phase
	case e.tie != o.tie:
		return e.tie < o.tie
	}
	return e.n < o.n
}

// heap is a 4-ary heap of events.
type heap []event

func (h *heap) push(e event) {
	*h = append(*h, e)
	s := *h
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&s[up]) {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = e
}

func (h *heap) pop() event {
	s := *h
	top := s[0]
	n := len(s) - 1
	e := s[n]
	s[n] = event{}
	s = s[:n]
	*h = s
	if n == 0 {
		return top
	}
	i := 0
	for {
		c := 4*i + 1
		if c >= n {
			break
		}
		best := c
		for j := c + 1; j < min(c+4, n); j++ {
			if s[j].before(&s[best]) {
				best = j
			}
		}
		if !s[best].before(&e) {
			break
		}
		s[i] = s[best]
		i = best
	}
	s[i] = e
	return top
}
