package why

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/host"
)

// Kind is what a link of a chain is.
type Kind string

// Kinds of links.
const (
	Turned   Kind = "turn"        // a turn put the row
	Seen     Kind = "observation" // a device part put it
	Booted   Kind = "start"       // it was there at the boot, or when the recording began
	Ended    Kind = "outcome"     // a call ended
	Asked    Kind = "call"        // a turn asked for a call
	Deadline Kind = "deadline"    // a deadline passed
	Set      Kind = "alarm"       // a turn set the deadline
)

// Link is a step of a chain: what it is, when, by whom, and about what.
type Link struct {
	Kind Kind          `json:"kind"`
	At   time.Duration `json:"-"`
	AtS  float64       `json:"at_s"` // since the boot
	By   string        `json:"by"`   // the agent or part
	Turn uint64        `json:"turn,omitempty"`
	// Topic and Key name the row, or the op and key of a call.
	Topic string `json:"topic,omitempty"`
	Key   string `json:"key,omitempty"`
	Rev   uint64 `json:"rev,omitempty"`
	Text  string `json:"text"`
	// Others counts what else was new to the turn.
	Others int `json:"others,omitempty"`
}

// ErrNoRow says that a recording has no such row.
var ErrNoRow = errors.New("no such row")

// maxChain bounds a chain.
const maxChain = 100

// Question asks for the causes of a row.
type Question struct {
	Device string // empty: any
	Boot   uint64 // 0: any
	Topic  string // "owner/Name"
	Key    string
	At     time.Duration // since the boot; negative: the end
}

// Chain is the chain of causes of the newest put of a row at a time, the row first.
func (x *Index) Chain(q Question) ([]Link, error) {
	var p put
	by, found := 0, false
	for at, list := range x.keys { //order: the newest of all is taken
		if at.topic != q.Topic || at.key != q.Key || q.Device != "" && at.device != q.Device ||
			q.Boot != 0 && at.boot != q.Boot {
			continue
		}
		for _, c := range list {
			i := x.puts[c]
			if (q.At < 0 || x.events[i].at <= q.At) && (!found || i > by || i == by && c.rev > p.rev) {
				p, by, found = c, i, true
			}
		}
	}
	if !found {
		return nil, fmt.Errorf("%w: %s/%s", ErrNoRow, q.Topic, q.Key)
	}
	c := chain{x: x}
	c.row(p)
	return c.links, nil
}

// chain is a chain under way.
type chain struct {
	x     *Index
	links []Link
}

func (c *chain) add(l Link) bool {
	l.AtS = l.At.Seconds()
	c.links = append(c.links, l)
	return len(c.links) < maxChain
}

// row goes on from a put.
func (c *chain) row(p put) {
	i, ok := c.x.puts[p]
	if !ok {
		return
	}
	e := &c.x.events[i]
	l := Link{Kind: e.kind, At: e.at, By: e.who, Turn: e.turn, Topic: p.topic, Key: p.key, Rev: p.rev,
		Text: fmt.Sprintf("%s/%s was put by %s, turn %d", p.topic, p.key, e.who, e.turn)}
	switch e.kind {
	case Booted:
		l.Text = fmt.Sprintf("%s/%s was there when the recording of boot %d began", p.topic, p.key,
			e.boot)
	case Seen:
		l.Text = fmt.Sprintf("%s/%s was seen by the part %s", p.topic, p.key, e.who)
	}
	if e.kind != Turned {
		if c.add(l) && e.kind == Seen {
			c.running(i, p.key)
		}
		return
	}
	best, others := c.best(e, p.key)
	l.Others = others
	if c.add(l) && best != nil {
		c.follow(i, best)
	}
}

// candidate is something that was new to a turn.
type candidate struct {
	moved *put
	end   int // index into the event's ends, -1
	due   string
	score int
	at    int // event
}

// about says how near two keys are: 2 the same, 1 one holds the other.
func about(a, b string) int {
	switch {
	case a == b:
		return 2
	case len(a) > 2 && strings.Contains(b, a), len(b) > 2 && strings.Contains(a, b):
		return 1
	}
	return 0
}

// best picks the cause of a row among what was new to a turn.
func (c *chain) best(e *event, key string) (best *candidate, others int) {
	var all []candidate
	for i := range e.ends {
		all = append(all, candidate{end: i, score: about(e.ends[i].Key, key)*10 + 3})
	}
	for i := range e.moved {
		m := &e.moved[i]
		all = append(all, candidate{moved: m, end: -1, score: about(m.key, key)*10 + 2,
			at: c.x.puts[*m]})
	}
	for _, d := range e.due {
		all = append(all, candidate{due: d, end: -1, score: about(d, key)*10 + 1})
	}
	for i := range all {
		a := &all[i]
		if e.full && e.before < 0 && a.score < 10 {
			continue
		}
		if best == nil || a.score > best.score || a.score == best.score && a.at > best.at {
			best = a
		}
	}
	return best, max(0, len(all)-1)
}

// follow goes on from what was new to the turn i.
func (c *chain) follow(i int, k *candidate) {
	e := &c.x.events[i]
	switch {
	case k.moved != nil:
		c.row(*k.moved)
	case k.end >= 0:
		x := &e.ends[k.end]
		l := Link{Kind: Ended, At: x.Ended, By: part(x.Op), Topic: x.Op, Key: x.Key,
			Text: fmt.Sprintf("%s/%s ended well, try %d, after %v", x.Op, x.Key, x.Tries,
				x.Ended-x.Began)}
		if x.Fault != nil {
			l.Text = fmt.Sprintf("%s/%s failed, try %d: %s: %s", x.Op, x.Key, x.Tries, x.Fault.Code,
				x.Fault.Text)
		}
		answer := x.Op == "web.Send" && !x.Res.IsZero() && !strings.Contains(string(x.Res.JSON()),
			`"Body":null`)
		if answer {
			l.Text += ", with an answer from outside"
		}
		if c.add(l) && x.Fault == nil && !answer {
			c.asked(e.before, x.Op, x.Key)
		}
	default:
		if c.add(Link{Kind: Deadline, At: e.at, By: e.who, Turn: e.turn, Key: k.due,
			Text: fmt.Sprintf("the deadline %s of %s passed", k.due, e.who)}) {
			c.set(e.before, k.due)
		}
	}
}

// asked goes on from the turn that asked for a call, i or one before.
func (c *chain) asked(i int, op, key string) {
	for ; i >= 0; i = c.x.events[i].before {
		e := &c.x.events[i]
		for _, x := range e.calls {
			if x.Op != op || x.Key != key || x.Verb == host.Drop {
				continue
			}
			c.turn(i, Asked, op, key, fmt.Sprintf("%s/%s was asked for by %s, turn %d", op, key, e.who,
				e.turn))
			return
		}
	}
}

// set goes on from the turn that set a deadline, i or one before.
func (c *chain) set(i int, key string) {
	for ; i >= 0; i = c.x.events[i].before {
		e := &c.x.events[i]
		for _, k := range e.wakes {
			if k == key {
				c.turn(i, Set, "", key, fmt.Sprintf("it was set by %s, turn %d", e.who, e.turn))
				return
			}
		}
	}
}

// turn goes on from what moved a turn.
func (c *chain) turn(i int, kind Kind, topic, key, text string) {
	e := &c.x.events[i]
	best, others := c.best(e, key)
	if c.add(Link{Kind: kind, At: e.at, By: e.who, Turn: e.turn, Topic: topic, Key: key, Text: text,
		Others: others}) && best != nil {
		c.follow(i, best)
	}
}

// running goes on from the call of a part that ran at an event, about a key.
func (c *chain) running(i int, key string) {
	x, from := c.x, &c.x.events[i]
	type id struct{ who, op, key string }
	over := map[id]bool{}
	bestAt, bestScore, running := -1, -1, 0
	var best id
	for j := i - 1; j >= 0 && x.events[j].boot == from.boot; j-- {
		e := &x.events[j]
		if e.device != from.device {
			continue
		}
		for n := range e.ends {
			if n := &e.ends[n]; part(n.Op) == from.who && n.Ended < from.at {
				over[id{e.who, n.Op, n.Key}] = true
			}
		}
		for _, k := range e.calls {
			call := id{e.who, k.Op, k.Key}
			if part(k.Op) != from.who || over[call] {
				continue
			}
			over[call] = true // an earlier one is not the one that runs
			if k.Verb == host.Drop {
				continue
			}
			running++
			if s := about(k.Key, key); s > bestScore {
				bestAt, bestScore, best = j, s, call
			}
		}
	}
	if bestScore > 0 || running == 1 {
		c.asked(bestAt, best.op, best.key)
	}
}
