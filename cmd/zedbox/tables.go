package main

import (
	"encoding/json"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/tui/source"
)

// tables are the hub's, as a feed of terminals reads them.
type tables struct {
	k     *host.Kernel
	decls map[string]*bus.Decl
	list  []*bus.Decl
	heads map[*bus.Decl]bus.Head
}

// opaque is a row whose type is not known here: terminals know it.
type opaque struct{ Name string }

// Key is the row's.
func (o opaque) Key() string { return o.Name }

func newTables() *tables { return &tables{decls: map[string]*bus.Decl{}} }

// look takes the tables as they are at this instant.
func (t *tables) look(k *host.Kernel, topics []hub.Topic) {
	t.k, t.list, t.heads = k, t.list[:0], make(map[*bus.Decl]bus.Head, len(topics))
	for _, x := range topics {
		name := x.Owner + "/" + x.Name
		d := t.decls[name]
		if d == nil {
			d = bus.NewTopic[opaque](bus.Decl{Owner: x.Owner, Name: x.Name, Life: x.Life}).Decl
			t.decls[name] = d
		}
		t.list = append(t.list, d)
		t.heads[d] = x.Rows
	}
}

// Device is the device's name.
func (t *tables) Device() string { return t.k.Device() }

// BootCount is the number of this boot of the hub.
func (t *tables) BootCount() uint64 { return t.k.BootCount() }

// Topics are all topics.
func (t *tables) Topics() []*bus.Decl { return t.list }

// Head is what a topic shows.
func (t *tables) Head(d *bus.Decl) (bus.Head, bool) {
	h, ok := t.heads[d]
	return h, ok
}

// Now is the time since boot.
func (t *tables) Now() time.Duration { return t.k.Now() }

// Wall is the device's clock.
func (t *tables) Wall() time.Time { return t.k.Wall() }

// Dead reports whether the boot has ended.
func (t *tables) Dead() bool { return t.k == nil || t.k.Dead() }

var _ source.Kernel = (*tables)(nil)

// rowJSON is a row of the hub as a terminal is sent it.
func rowJSON(v any) any {
	if r, ok := v.(*hub.Row); ok {
		return json.RawMessage(r.JSON)
	}
	return v
}

// lives are the agents as terminals show them.
func lives(list []hub.Agent) []source.Agent {
	out := make([]source.Agent, 0, len(list))
	for _, a := range list {
		x := source.Agent{Name: a.Name, Starts: a.Starts, Turns: a.Turns, Last: a.Last, Why: a.Why}
		switch {
		case a.PID == 0 && a.Starts == 0:
			x.Health, x.Why = source.Stopped, "it has not begun"
		case a.PID == 0:
			x.Health, x.Why = source.Stopped, "its process has ended"
		case a.Condition == wire.GivenUp:
			x.Health = source.Stopped
		case a.Condition == wire.Slow:
			x.Health = source.Slow
		}
		out = append(out, x)
	}
	return out
}
