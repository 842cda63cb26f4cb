package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/core/trace/why"
)

// named reports whether an agent has a name.
func named(name string) func(agent.Entry) bool {
	return func(e agent.Entry) bool { return e.Name == name }
}

// instant is every table of a device at a time.
type instant struct {
	File   string      `json:"file"`
	OK     bool        `json:"ok"`
	Device string      `json:"device"`
	Boot   uint64      `json:"boot"`
	AtS    float64     `json:"at_s"`
	Wall   time.Time   `json:"wall"`
	Turns  uint64      `json:"turns"` // of this boot, up to then
	Tables []tableView `json:"tables"`
}

type tableView struct {
	Topic    string    `json:"topic"`
	Complete bool      `json:"complete"`
	Rows     []rowView `json:"rows"`
}

type rowView struct {
	Key string          `json:"key"`
	Rev uint64          `json:"rev"`
	Row json.RawMessage `json:"row"`
}

// tables shows every table at --at: of the last boot that lasted so long, unless --boot says which.
func (v *replayView) tables() error {
	var found *instant
	state := trace.NewTables()
	var turns uint64
	var at uint64 // boot that is looked at
	over := false // it has gone beyond --at
	var end time.Duration
	take := func() {
		if d := state.Device(v.device); d != nil && !over {
			found, over = v.instant(d, turns), true
		}
	}
	for {
		f, err := v.r.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			if _, err := v.torn(err, end); err != nil {
				return err
			}
			break
		}
		device, now, boot, counts := place(f)
		if v.device == "" {
			v.device = device
		}
		if device != v.device {
			continue
		}
		if boot != at {
			at, over, turns = boot, v.boot != 0 && boot != v.boot, 0
		}
		if now >= 0 {
			if end = now; now > v.at {
				take()
			}
		}
		if counts {
			turns++
		}
		state.Take(f)
	}
	if d := state.Device(v.device); d != nil && d.Now == v.at {
		take()
	}
	if found == nil {
		return cli.Refuse(fmt.Errorf("%s: no boot of %s lasts %v", v.path, v.device, v.at))
	}
	v.show(found)
	return nil
}

// place is what a frame is about: its time is negative where it has none.
func place(f trace.Frame) (device string, now time.Duration, boot uint64, turn bool) {
	switch f := f.(type) {
	case *trace.Boot:
		return f.Device, f.Now, f.Boot, false
	case *trace.Table:
		return f.Device, -1, f.Boot, false
	case *trace.Start:
		return f.Device, f.Now, f.Boot, false
	case *trace.Seen:
		return f.Device, f.Now, f.Boot, false
	case *trace.Turn:
		return f.Device, f.Now, f.Boot, true
	}
	return "", -1, 0, false
}

// instant takes down what a device holds.
func (v *replayView) instant(d *trace.DeviceTables, turns uint64) *instant {
	x := &instant{File: v.path, OK: true, Device: d.Device, Boot: d.Boot, AtS: v.at.Seconds(),
		Wall: d.Wall, Turns: turns, Tables: []tableView{}}
	for _, topic := range d.Topics() {
		if v.agent != "" && !strings.HasPrefix(topic, v.agent+"/") {
			continue
		}
		t := tableView{Topic: topic, Complete: d.Complete(topic), Rows: []rowView{}}
		for _, r := range d.Rows(topic) {
			t.Rows = append(t.Rows, rowView{r.Key, r.Rev, r.Val.JSON()})
		}
		x.Tables = append(x.Tables, t)
	}
	return x
}

func (v *replayView) show(x *instant) {
	if v.json {
		line(v.out, x)
		return
	}
	fmt.Fprintf(v.out, "%s, boot %d, %v after it, turn %d\n", x.Device, x.Boot, v.at, x.Turns)
	for _, t := range x.Tables {
		whole := ""
		if t.Complete {
			whole = ", complete"
		}
		fmt.Fprintf(v.out, "%s: %d rows%s\n", t.Topic, len(t.Rows), whole)
		for _, r := range t.Rows {
			fmt.Fprintf(v.out, "  %s @%d %s\n", r.Key, r.Rev, r.Row)
		}
	}
}

// answer is the causes of a row.
type answer struct {
	File  string     `json:"file"`
	OK    bool       `json:"ok"`
	Error string     `json:"error,omitempty"`
	Chain []why.Link `json:"chain"`
}

// maxIndent is how far to the right the causes go.
const maxIndent = 24

// because shows the causes of a row.
func (v *replayView) because() error {
	x, err := why.Read(v.r)
	if _, err := v.torn(err, x.End()); err != nil {
		return err
	}
	owner, rest, _ := strings.Cut(v.why, "/")
	topic, key, _ := strings.Cut(rest, "/")
	links, err := x.Chain(why.Question{Device: v.device, Boot: v.boot, Topic: owner + "/" + topic,
		Key: key, At: v.at})
	a := answer{File: v.path, OK: err == nil, Chain: links}
	if err != nil {
		a.Error, a.Chain = err.Error(), []why.Link{}
	}
	switch {
	case v.json:
		line(v.out, a)
	case err != nil:
		fmt.Fprintf(v.errs, "evetwin: %s: %v\n", v.path, err)
	default:
		for i, l := range links {
			others := ""
			if l.Others > 0 {
				others = fmt.Sprintf(" (and %d more was new)", l.Others)
			}
			fmt.Fprintf(v.out, "%12.6f s  %s%s%s\n", l.AtS, strings.Repeat(" ", min(i, maxIndent)),
				l.Text, others)
		}
	}
	if err != nil {
		return cli.ErrReported
	}
	return nil
}
