package hub_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// roster has the two agents of the tests: a does what it is told, b says what it sees.
func roster(commands <-chan string, say func(string, ...any)) []agent.Entry {
	return []agent.Entry{
		{Name: "a", New: func(p bus.Port) agent.Agent {
			return &doer{commands, say, bus.Publish(p, notes), bus.Publish(p, twins),
				bus.Publish(p, deeds), bus.Subscribe(p, acks, bus.Optional),
				bus.Subscribe(p, things, bus.Optional), agent.Use(p, work)}
		}},
		{Name: "b", New: func(p bus.Port) agent.Agent {
			return &seer{commands, say, bus.Subscribe(p, notes), bus.Subscribe(p, twins),
				bus.Subscribe(p, deeds), bus.Subscribe(p, things, bus.Optional), bus.Publish(p, acks),
				agent.Use(p, count)}
		}},
	}
}

// doer is agent a.
type doer struct {
	commands <-chan string
	say      func(string, ...any)
	notes    *bus.Pub[note]
	twins    *bus.Pub[note]
	deeds    *bus.Pub[note]
	acks     *bus.Sub[note]
	things   *bus.Sub[note]
	work     *agent.Calls[note, note]
}

// Step does what it is told, all that came since the last turn.
func (d *doer) Step(t *agent.Turn) {
	t.WakeAt("look", t.Now+time.Millisecond)
	if t.Full {
		d.say("began %s %s", rowsOf(d.notes.Table), rowsOf(d.deeds.Table))
	}
	for _, key := range d.work.Ended() {
		if c := d.work.Get(key); c.Phase == agent.Done {
			if x := d.things.Get(key); x == nil || x.Text == "begun" {
				d.say("done before its rows: %s", key)
			}
			d.say("done %s %s", key, c.Res.Text)
		} else {
			d.say("failed %s %s", key, c.Fault.Code)
		}
		d.work.Drop(key)
	}
	for {
		select {
		case c := <-d.commands:
			d.do(strings.Fields(c))
			continue
		default:
		}
		return
	}
}

func (d *doer) do(c []string) {
	n := func(i int) uint64 { v, _ := strconv.ParseUint(c[i], 10, 64); return v }
	switch c[0] {
	case "put": // name, number
		d.notes.Put(note{Name: c[1], Big: n(2)})
		d.twins.Put(note{Name: c[1], Big: n(2)})
	case "many": // how many, number
		text := strings.Repeat("x", 900)
		for i := range n(1) {
			d.notes.Put(note{Name: fmt.Sprintf("row-%06d", i), Text: text, Big: n(2), Signed: -int64(i)})
		}
	case "exact":
		d.notes.Put(note{Name: "exact", Big: n(1), Signed: -int64(n(1) >> 1)})
	case "delete":
		d.notes.Delete(c[1])
		d.twins.Delete(c[1])
	case "deed": // name, number
		d.deeds.Put(note{Name: c[1], Big: n(2)})
	case "large": // name, number
		d.deeds.Put(note{Name: c[1], Big: n(2), Text: strings.Repeat("x", 8<<10)})
	case "undeed":
		d.deeds.Delete(c[1])
	case "complete":
		d.notes.Complete()
		d.deeds.Complete()
	case "work":
		d.work.Want(c[1], note{Name: c[1], Text: c[2]})
	case "drop":
		d.work.Drop(c[1])
	}
	d.say("did %s", strings.Join(c, " "))
}

// rowsOf is a table in one word: name=number of each row.
func rowsOf(t bus.Table[note]) string {
	if t.Len() > 20 {
		return fmt.Sprintf("(%d)", t.Len())
	}
	var s []string
	for _, r := range t.All() {
		s = append(s, fmt.Sprintf("%s=%d", r.Name, r.Big))
	}
	return "(" + strings.Join(s, ",") + ")"
}

// seer is agent b.
type seer struct {
	commands <-chan string
	say      func(string, ...any)
	notes    *bus.Sub[note]
	twins    *bus.Sub[note]
	deeds    *bus.Sub[note]
	things   *bus.Sub[note]
	acks     *bus.Pub[note]
	count    *agent.Calls[note, note]
}

// Step says what it sees.
func (s *seer) Step(t *agent.Turn) {
	if t.Full {
		s.say("began %s %s %v", rowsOf(s.notes.Table), rowsOf(s.deeds.Table), s.notes.Complete())
	}
	few := 0
	for key, d := range s.notes.Changed() {
		if few++; few > 20 {
			continue
		}
		if d.New == nil {
			s.say("note %s gone %v", key, s.notes.Gone(key))
		} else {
			s.say("note %s %d %d", key, d.New.Big, d.New.Signed)
		}
	}
	if few > 0 {
		s.say("notes %d moved, %d there, complete %v", few, s.notes.Len(), s.notes.Complete())
	}
	for key, d := range s.deeds.Changed() {
		if d.New == nil {
			s.say("deed %s gone", key)
		} else {
			s.say("deed %s %d", key, d.New.Big)
		}
	}
	for key, d := range s.things.Changed() {
		if d.New != nil {
			s.say("thing %s %s %d", key, d.New.Text, d.New.Big)
		}
	}
	s.whole()
}

// whole holds that a turn is seen whole: what a puts into both tables is the same.
func (s *seer) whole() {
	for key, r := range s.twins.All() {
		if n := s.notes.Get(key); n == nil || n.Big != r.Big {
			s.say("torn %s", key)
		}
	}
}

// newer is an agent of a later program: its notes have tags, and some of them words for numbers.
func newer(agent.New) agent.New {
	rich := bus.NewTopic[richNote](bus.Decl{Owner: "a", Name: "Note", MaxRows: 20_000})
	odd := bus.NewTopic[oddNote](bus.Decl{Owner: "a", Name: "Twin"})
	next := bus.NewTopic[note](bus.Decl{Owner: "a", Name: "Deed", Life: bus.Persistent, Version: 1})
	return func(p bus.Port) agent.Agent {
		return &later{bus.Publish(p, rich), bus.Publish(p, odd), bus.Publish(p, next)}
	}
}

// oddNote is a note whose number became a word.
type oddNote struct{ Name, Big string }

// Key is the name.
func (n oddNote) Key() string { return n.Name }

// later is agent a of a later program.
type later struct {
	notes *bus.Pub[richNote]
	odd   *bus.Pub[oddNote]
	deeds *bus.Pub[note]
}

// Step puts one row of each kind.
func (l *later) Step(*agent.Turn) {
	l.notes.Put(richNote{Name: "rich", Big: 7, Tags: []string{"one", "two"}})
	l.odd.Put(oddNote{Name: "odd", Big: "seven"})
	l.odd.Complete()
	l.deeds.Put(note{Name: "next", Big: 8})
}

// box is the hardware of the tests: one part, whose work goes on for a while after it was
// cancelled.
type box struct{}

// Wire declares the part.
func (*box) Wire(k *host.Kernel, m host.Machine) {
	pt := k.Part("box")
	out := bus.Publish(pt, things)
	active, runs, doubled := map[string]int{}, map[string]uint64{}, map[string]bool{}
	show := func(name, state string) {
		if doubled[name] = doubled[name] || active[name] > 1; doubled[name] {
			state = "doubled"
		}
		out.Put(note{Name: name, Text: state, Big: runs[name]})
	}
	host.Serve(pt, work, func(c host.Run[note, note]) {
		name := c.Req().Name
		active[name]++
		runs[name]++
		show(name, "begun")
		c.Go(func(ctx context.Context) (note, *agent.Fault) {
			if c.Req().Text == "hang" {
				<-ctx.Done()
				lag := time.NewTimer(300 * time.Millisecond)
				defer lag.Stop()
				<-lag.C
				return note{}, &agent.Fault{Code: agent.FaultCancelled, Retry: true}
			}
			return note{Text: "well-" + c.Req().Text}, nil
		}, func(r note, f *agent.Fault) {
			active[name]--
			show(name, "ended")
			if c.Finish(r, f); c.Req().Text == "reboot" {
				m.Reboot(0)
			}
		})
	})
	host.Serve(pt, count, func(c host.Run[note, note]) { c.Done(note{Big: runs[c.Req().Name]}) })
	out.Complete()
}

// Cut loses nothing.
func (*box) Cut(func(string) uint64) {}
