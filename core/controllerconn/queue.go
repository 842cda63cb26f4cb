package controllerconn

import (
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Class orders what is due; lower is sent first.
type Class uint8

// Classes in the order they are sent.
const (
	ClassAttest Class = iota
	ClassApp
	ClassHardware
	ClassRest
)

// MaxDue bounds the queue: more entities than a device can have.
const MaxDue = 16000

// Item names one message: what it is about. The queue holds one of each, the newest state.
type Item struct {
	Class  Class
	Kind   string // of message, the agent's word; no "/"
	Entity string // UUID or hash; no "/"
}

func (i Item) key() string { return i.Kind + "." + i.Entity }

// Due is an item that waits to be sent.
type Due struct {
	Item
	Seq       uint64 // order inside a class
	Mark      uint64 // grows when the item is marked again
	Force     bool   // to be sent even if it says nothing new
	Refusals  int
	NotBefore time.Duration // since boot
}

// Key is kind and entity.
func (d Due) Key() string { return d.key() }

// Sent is the checksum of what an item said when it was last accepted.
type Sent struct {
	Name string
	Sum  uint64
	// Refused counts the messages in a row that the controller refused for good; 0: it was accepted.
	Refused int
}

// Key is kind and entity.
func (s Sent) Key() string { return s.Name }

// Pass is the state of the queue as a whole.
type Pass struct {
	Seq      uint64        // of the newest item
	Failures int           // passes in a row that found no way to the controller
	Resume   time.Duration // since boot: nothing is sent before
	Online   bool          // the network worked when last looked at
	// Flying is the item under way, with the mark and sum it was built at.
	Flying bool
	Item   Item
	Mark   uint64
	Sum    uint64
	Final  bool
}

// Key is "queue".
func (Pass) Key() string { return queueKey }

// queueKey is the key of the queue's exchange; one is under way at a time.
const queueKey = "queue"

// Message is what an item has to say now.
type Message struct {
	// Request is sent as it is, but ends with the first answer (Bail).
	Request Request
	// Sum stands for what the message says, times and the like left out: an item that says the same as
	// when it was last accepted is not sent again, unless forced. 0: always send.
	Sum uint64
	// Nothing: there is nothing to say; the item is forgotten.
	Nothing bool
	// Final: this is the last word on the item. Once it was accepted or dropped, it is forgotten.
	Final bool
}

// MarkDue puts an item into the queue; one that is there already is due again with the state it has
// when it is sent, and keeps its place and back-off. force sends it even if it says nothing new.
func (c *Conn) MarkDue(t *agent.Turn, item Item, force bool) { c.MarkDueAt(t, item, 0, force) }

// MarkDueAt is MarkDue for an item that is to be sent at a time since boot, not earlier: changes
// up to then travel in one message.
func (c *Conn) MarkDueAt(t *agent.Turn, item Item, at time.Duration, force bool) {
	if d := c.dues.Get(item.key()); d != nil {
		n := *d
		n.Force = n.Force || force
		if n.Refusals == 0 {
			n.NotBefore = min(n.NotBefore, at)
		}
		p := c.pass()
		if p.Flying && p.Item == item && p.Mark == d.Mark {
			n.Mark++
		}
		c.dues.Put(n)
		return
	}
	p := c.pass()
	p.Seq++
	c.passes.Put(p)
	c.dues.Put(Due{Item: item, Seq: p.Seq, Force: force, NotBefore: at})
}

// Forget takes an item out of the queue and forgets what it last said.
func (c *Conn) Forget(item Item) {
	c.dues.Delete(item.key())
	c.sents.Delete(item.key())
}

// ForgetSent makes every item news again, as after a change of the controller's epoch.
func (c *Conn) ForgetSent() { c.sents.Keep(func(string) bool { return false }) }

// IsDue reports whether an item is in the queue or under way.
func (c *Conn) IsDue(item Item) bool { return c.dues.Get(item.key()) != nil }

// Said reports whether the last message about an item was accepted. It is false of what was never
// sent, and of what the controller refused for good.
func (c *Conn) Said(item Item) bool {
	s := c.sents.Get(item.key())
	return s != nil && s.Refused == 0
}

// maxRefused is how often the last word on an item may be refused for good before nobody is to say
// it again: most of a day at the pace of the device's report.
const maxRefused = 100

// Refused reports whether the controller refused the last message about an item for good, and it is
// worth while to send another.
func (c *Conn) Refused(item Item) bool {
	s := c.sents.Get(item.key())
	return s != nil && s.Refused > 0 && s.Refused < maxRefused
}

// Backlog is the number of items in the queue.
func (c *Conn) Backlog() int { return c.dues.Len() }

func (c *Conn) pass() Pass {
	if p := c.passes.Get(queueKey); p != nil {
		return *p
	}
	return Pass{}
}

// Pump moves the queue on: settles what was answered and sends the next item. build is asked for
// the message of an item when it is its turn. Call it in each turn, after MarkDue.
func (c *Conn) Pump(t *agent.Turn, build func(Item) Message) {
	p := c.pass()
	c.watch(t, &p)
	if p.Flying {
		res := c.Get(t, queueKey)
		if res.Phase != agent.None && !res.Over() {
			c.passes.Put(p)
			return
		}
		c.settle(t, &p, &res)
	}
	if t.Now < p.Resume {
		if c.dues.Len() > 0 {
			t.WakeAt("queue", p.Resume)
		}
	} else {
		c.launch(t, &p, build)
	}
	if p != (Pass{}) {
		c.passes.Put(p)
	}
}

const (
	firstBackoff = time.Minute
	maxBackoff   = 15 * time.Minute
	kickWithin   = time.Minute
)

func backoff(failures int) time.Duration {
	return min(firstBackoff<<min(max(failures-1, 0), 4), maxBackoff)
}

// watch ends the wait within a minute once the network works again.
func (c *Conn) watch(t *agent.Turn, p *Pass) {
	n := c.Network()
	online := n != nil && n.State == network.DPCSuccess
	if online && !p.Online && t.Now < p.Resume {
		kick := t.Now + t.Between("kick/"+strconv.Itoa(p.Failures), time.Second, kickWithin)
		if kick < p.Resume {
			p.Resume, p.Failures = kick, 0
		}
	}
	p.Online = online
}

// launch sends the first item that is not held back.
func (c *Conn) launch(t *agent.Turn, p *Pass, build func(Item) Message) {
	for {
		d, wake := c.first(t.Now)
		if d == nil {
			if wake > 0 {
				t.WakeAt("queue", wake)
			}
			return
		}
		m := build(d.Item)
		name := d.Key()
		if old := c.sents.Get(name); m.Nothing ||
			!d.Force && m.Sum != 0 && old != nil && old.Sum == m.Sum {
			c.dues.Delete(name)
			continue
		}
		p.Flying, p.Item, p.Mark, p.Sum, p.Final = true, d.Item, d.Mark, m.Sum, m.Final
		m.Request.Bail = true
		if x := c.rows.Get(queueKey); x != nil && x.Stage != StageNone {
			c.Drop(t, queueKey)
		}
		c.Want(t, queueKey, m.Request)
		return
	}
}

// first is the item to send next, or when the next one may be.
func (c *Conn) first(now time.Duration) (best *Due, wake time.Duration) {
	for _, d := range c.dues.All() {
		if d.NotBefore > now {
			if wake == 0 || d.NotBefore < wake {
				wake = d.NotBefore
			}
			continue
		}
		if best == nil || d.Class < best.Class || d.Class == best.Class && d.Seq < best.Seq {
			best = d
		}
	}
	return best, wake
}

// settle deals with the answer to the item under way.
func (c *Conn) settle(t *agent.Turn, p *Pass, res *Result) {
	name, mark, sum, final := p.Item.key(), p.Mark, p.Sum, p.Final
	c.Drop(t, queueKey)
	p.Flying, p.Item, p.Mark, p.Sum, p.Final = false, Item{}, 0, 0, false
	d := c.dues.Get(name)
	switch {
	case res.OK():
		p.Failures = 0
		if d == nil {
			return
		}
		if final {
			c.sents.Delete(name)
		} else {
			c.sents.Put(Sent{Name: name, Sum: sum})
		}
		if d.Mark == mark || plant.On(plant.QueueReorders) {
			c.dues.Delete(name)
			return
		}
		c.dues.Put(Due{Item: d.Item, Seq: d.Seq, Mark: d.Mark, Force: d.Force})
	case d == nil:
	case plant.On(plant.InfoLost) && res.Code >= 400:
		c.dues.Delete(name)
		c.sents.Put(Sent{Name: name, Sum: sum})
	case res.Code == 0:
		// No answer: the item stays, and nothing else is tried for a while.
		p.Failures++
		p.Resume = t.Now + backoff(p.Failures) +
			t.Between("queue/"+strconv.Itoa(int(p.Seq))+"/"+strconv.Itoa(p.Failures), 0, time.Minute)
	case tryAgain(res.Code):
		c.refuse(t, p, d, res)
	default:
		t.Log(agent.Err, d.Entity, "message "+d.Kind+" dropped: "+res.Error())
		c.dues.Delete(name)
		no := Sent{Name: name, Refused: 1}
		if old := c.sents.Get(name); old != nil {
			no.Refused += old.Refused
		}
		c.sents.Put(no)
	}
}

// tryAgain reports whether an item may be accepted later.
func tryAgain(code int) bool {
	switch code {
	case 401, 403, 407, 408, 429:
		return true
	}
	return code >= 500
}

// refuse holds an item back and moves it behind its peers.
func (c *Conn) refuse(t *agent.Turn, p *Pass, d *Due, res *Result) {
	n := *d
	n.Refusals++
	n.NotBefore = t.Now + backoff(n.Refusals)
	p.Seq++
	n.Seq = p.Seq
	c.dues.Put(n)
	if n.Refusals%20 == 0 {
		t.Log(agent.Warn, d.Entity, "message "+d.Kind+" refused "+strconv.Itoa(n.Refusals)+
			" times: "+res.Error())
	}
}
