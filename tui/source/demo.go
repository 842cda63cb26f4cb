package source

import (
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

const (
	// demoStep is the time between two scenes of the demonstration.
	demoStep = 250 * time.Millisecond
	// demoLoop is after how many seconds it begins again, with the next boot.
	demoLoop = 120
)

// Demo is a small story without a device: an edge node boots, onboards, takes its configuration,
// fetches three applications, loses a cable, loses an agent, restarts an application, and reboots.
func Demo() Source {
	s := &story{began: time.Now().UTC()}
	return &Script{Scene: s.scene}
}

// DemoAt is the same story as it would have been played from start on, without waiting: for tests.
func DemoAt(start time.Time) *Script {
	s := &story{began: start}
	return &Script{Scene: s.scene, Start: start}
}

// story tells what is, for any second of the demonstration; scenes are the differences.
type story struct {
	began time.Time
	shown []demoRow
	revs  map[string]uint64
	lines int
	said  int
}

// demoRow is a row that is to be shown.
type demoRow struct {
	topic, key, json string
	val              any
}

// moment is a point of the story: seconds since boot, and the clock.
type moment struct {
	sec  float64
	boot uint64
	born time.Time // of the boot
}

// wall is the clock at a second of the boot.
func (m moment) wall(sec float64) time.Time {
	return m.born.Add(time.Duration(sec * float64(time.Second))).Round(time.Millisecond)
}

// grown is how far something is that goes from 0 at one second to 1 at another.
func (m moment) grown(from, to float64) float64 {
	return max(0, min(1, (m.sec-from)/(to-from)))
}

// within reports whether the moment lies between two seconds.
func (m moment) within(from, to float64) bool { return m.sec >= from && m.sec < to }

// scene is the nth scene.
func (s *story) scene(n int) *Scene {
	steps := int(demoLoop * time.Second / demoStep)
	loop, step := n/steps, n%steps
	m := moment{sec: float64(step) * demoStep.Seconds(), boot: uint64(loop + 1)}
	m.born = s.began.Add(time.Duration(loop*demoLoop) * time.Second)
	b := &Batch{Device: &Device{Name: "edge-7f", Boot: m.boot, Wall: m.wall(m.sec), Runs: true,
		Up: time.Duration(m.sec * float64(time.Second))}}
	if step == 0 {
		b.Reset, b.Link = true, &Link{}
		s.shown, s.revs, s.lines, s.said = nil, map[string]uint64{}, 0, 0
	}
	b.Rows = s.differences(demoRows(m), m.boot)
	b.Agents = demoAgents(m)
	for ; s.lines < len(demoLines) && demoLines[s.lines].sec <= m.sec; s.lines++ {
		l := demoLines[s.lines]
		b.Lines = append(b.Lines, Line{From: l.from, At: time.Duration(l.sec * 1e9),
			Line: agent.Line{Level: l.level, About: l.about, Text: l.text}})
	}
	for ; s.said < len(demoMarks) && demoMarks[s.said].At.Seconds() <= m.sec; s.said++ {
		b.Marks = append(b.Marks, demoMarks[s.said])
	}
	return &Scene{After: demoStep, Batch: b}
}

// differences are the changes that lead from what was shown to what is to be.
func (s *story) differences(now []demoRow, boot uint64) []Change {
	slices.SortFunc(now, func(a, b demoRow) int { return strings.Compare(a.name(), b.name()) })
	var out []Change
	put := func(r demoRow, val any) {
		if s.revs[r.topic] == 0 {
			s.revs[r.topic] = boot << 32
		}
		s.revs[r.topic]++
		out = append(out, Change{Topic: r.topic, Key: r.key, Rev: s.revs[r.topic], Val: val})
	}
	was := s.shown
	for _, r := range now {
		for len(was) > 0 && was[0].name() < r.name() {
			put(was[0], nil)
			was = was[1:]
		}
		if len(was) > 0 && was[0].name() == r.name() {
			same := was[0].json == r.json
			was = was[1:]
			if same {
				continue
			}
		}
		put(r, r.val)
	}
	for _, r := range was {
		put(r, nil)
	}
	s.shown = now
	return out
}

func (r demoRow) name() string { return r.topic + "\x00" + r.key }

// rows collects rows of many types.
type rows []demoRow

// show adds a row.
func show[V bus.Row](r *rows, t bus.Topic[V], v V) {
	*r = append(*r, demoRow{t.String(), v.Key(), string(encode(&v)), &v})
}

// demoRows is every row at a moment.
func demoRows(m moment) []demoRow {
	var r rows
	demoNode(&r, m)
	demoNetwork(&r, m)
	demoInstances(&r, m)
	demoSummary(&r, m)
	for i := range demoApps {
		demoApps[i].show(&r, m)
	}
	return r
}
