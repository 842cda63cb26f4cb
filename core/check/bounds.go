package check

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// What a device may hold and do, by the size of its configuration: so much, and so much more for
// each object. The numbers are several times what the scenarios need, and far below what any leak
// comes to in a day.
const (
	baseRows, rowsEach       = 48, 6   // of one topic
	baseWaits, waitsEach     = 24, 6   // deadlines of one agent; calls of one agent
	baseBatch, batchEach     = 48, 8   // rows of one turn
	baseTurns, turnsEach     = 300, 60 // of one agent in a minute
	calmTurns, calmTurnsEach = 30, 2   // in a minute, on average, once nothing disturbs
)

// sizeOf is how many objects a device has to look after: what is configured, what that consists of,
// and its interfaces. Rows of agents that only one agent sees do not count.
func sizeOf(e *Ear) int {
	n := 0
	for _, a := range Rows(e, app.Configs) {
		n += 1 + len(a.AppNetAdapterList) + len(a.VolumeRefConfigList) + len(a.IoAdapterList)
	}
	for _, t := range Rows(e, content.TreeStatuses) {
		n += 1 + len(t.Blobs)
	}
	for _, d := range []*bus.Decl{network.Instances.Decl, content.Trees.Decl, volume.Configs.Decl,
		content.Datastores.Decl, nic.Links.Decl} {
		if h, ok := e.Boot().Head(d); ok {
			n += h.Len()
		}
	}
	for _, l := range Rows(e, network.DPCL) {
		for i := range l.PortConfigList {
			n += 1 + len(l.PortConfigList[i].Ports)
		}
	}
	return n
}

// largest follows the size of the configuration and remembers the largest: what is left of it may
// stay for a while, and over boots.
type largest struct {
	e     *Ear
	size  int
	moved bool
}

func follow(e *Ear) *largest {
	l := &largest{e: e, moved: true}
	grew(l, app.Configs)
	grew(l, network.Instances)
	grew(l, content.Trees)
	grew(l, volume.Configs)
	grew(l, network.DPCL)
	OnRow(e, content.TreeStatuses, func(_ string, was, now *content.ContentTreeStatus) {
		l.moved = l.moved || now != nil && (was == nil || len(was.Blobs) < len(now.Blobs))
	})
	e.OnTurn(func() { l.now() })
	return l
}

func grew[V bus.Row](l *largest, t bus.Topic[V]) {
	OnRow(l.e, t, func(_ string, _, now *V) { l.moved = l.moved || now != nil })
}

// now is the largest size so far.
func (l *largest) now() int {
	if l.moved {
		l.moved = false
		l.size = max(l.size, sizeOf(l.e))
	}
	return l.size
}

// bounded: what grows without a reason ends a device that is up for a year.
func bounded() Rule {
	return Rule{Name: "bounded",
		Says: "No table, no queue of calls and no set of deadlines grows beyond what the largest " +
			"configuration so far gives a reason for.",
		New: func(e *Ear) {
			b := &bounds{e: e, size: follow(e)}
			e.OnBoot(func(Boot) { b.topics = nil })
			e.OnMinute(b.minute)
		}}
}

type bounds struct {
	e      *Ear
	size   *largest
	topics []*bus.Decl // of this boot
}

func (b *bounds) minute() {
	if b.topics == nil {
		b.topics = b.e.Boot().Topics()
	}
	b.e.Judged()
	size := b.size.now()
	for _, d := range b.topics {
		h, ok := b.e.Boot().Head(d)
		if ok && h.Len() > baseRows+rowsEach*size {
			b.e.Break(d.String(), "", "it has %d rows for %d objects", h.Len(), size)
		}
	}
	for l := range b.e.Boot().Loads() {
		if limit := baseWaits + waitsEach*size; l.Deadlines > limit || l.Calls > limit {
			b.e.Break(l.Agent, "", "it has %d deadlines and %d calls for %d objects", l.Deadlines, l.Calls,
				size)
		}
	}
}

// budget: the hosts stop an agent that spins; this is about one that does too much.
func budget() Rule {
	return Rule{Name: "budget",
		Says: "No turn shows more rows, and no agent takes more turns in a minute, than the largest " +
			"configuration so far gives a reason for.",
		New: func(e *Ear) {
			b := &spending{e: e, size: follow(e), turns: map[string]uint64{}}
			e.OnBoot(func(Boot) { b.at = 0; clear(b.turns) })
			e.OnAnyRows(b.batch)
			e.OnMinute(b.minute)
		}}
}

type spending struct {
	e     *Ear
	size  *largest
	turns map[string]uint64 // by agent, at the last minute
	at    time.Duration
}

// batch judges the rows of a turn; the size is looked at only where it matters.
func (b *spending) batch(owner string, rows []Change) {
	if len(rows) <= baseBatch {
		return
	}
	b.size.moved = true // these rows may be the configuration
	if size := b.size.now(); len(rows) > baseBatch+batchEach*size {
		b.e.Break(owner, rows[0].Topic.String(), "it showed %d rows at once for %d objects", len(rows),
			size)
	}
}

func (b *spending) minute() {
	size := b.size.now()
	minutes := uint64((b.e.Now()-b.at)/time.Minute) + 1
	b.at = b.e.Now()
	b.e.Judged()
	for l := range b.e.Boot().Loads() {
		took := l.Turns - b.turns[l.Agent]
		b.turns[l.Agent] = l.Turns
		if took > minutes*uint64(baseTurns+turnsEach*size) {
			b.e.Break(l.Agent, "", "it took %d turns in %d minutes for %d objects", took, minutes, size)
		}
	}
}

// restsAtLast: a retry without a pause shows when nothing else goes on.
func restsAtLast() Rule {
	return Rule{Name: "rests-at-last", Live: true,
		Says: "A device that nothing disturbs takes few turns.",
		New: func(e *Ear) {
			var marks [][]host.Load // one a minute, the newest last
			e.OnBoot(func(Boot) { marks = nil })
			e.OnMinute(func() {
				var m []host.Load
				for l := range e.Boot().Loads() {
					m = append(m, l)
				}
				if marks = append(marks, m); len(marks) > restMinutes {
					marks = append(marks[:0], marks[1:]...)
				}
			})
			e.OnEnd(func(time.Duration) {
				if len(marks) < restMinutes {
					return
				}
				e.Judged()
				limit := uint64(calmTurns+calmTurnsEach*sizeOf(e)) * restMinutes
				for i, l := range marks[len(marks)-1] {
					if took := l.Turns - marks[0][i].Turns; took > limit {
						e.Break(l.Agent, "", "it took %d turns in the last %d minutes, which were calm", took,
							restMinutes)
					}
				}
			})
		}}
}

// restMinutes is how many calm minutes are looked at.
const restMinutes = 20
