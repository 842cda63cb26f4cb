package page

import (
	"fmt"
	"slices"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// Log shows log lines.
type Log struct {
	least  agent.Level // lines below it are left out
	from   string      // lines of others are left out, empty for all
	find   search
	hold   bool // does not follow
	top    int  // number of the first line shown, among all lines ever, while it does not follow
	width  int
	height int
}

// Name is the page's name.
func (*Log) Name() string { return "Log" }

// Types reports whether words go into the search.
func (l *Log) Types() bool { return l.find.open }

// Hints are the page's keys.
func (l *Log) Hints(*Stage) []Hint {
	if l.find.open {
		return searchHints
	}
	follow := "hold"
	if l.hold {
		follow = "follow"
	}
	return []Hint{{"↑↓", "scroll"}, {"space", follow}, {"l", "level"}, {"←→", "agent"},
		{"/", "search"}}
}

// Press scrolls and filters.
func (l *Log) Press(s *Stage, key string) bool {
	if l.find.press(key) {
		return true
	}
	switch key {
	case " ", "space":
		l.hold = !l.hold
		if l.hold {
			l.scroll(s, 0)
		}
	case "l":
		l.least = (l.least + 1) % (agent.Err + 1)
	case "left":
		l.turn(s, -1)
	case "right":
		l.turn(s, 1)
	case "up", "k":
		l.scroll(s, -1)
	case "down", "j":
		l.scroll(s, 1)
	case "pgup", "ctrl+b":
		l.scroll(s, -max(1, l.height-1))
	case "pgdown", "ctrl+f":
		l.scroll(s, max(1, l.height-1))
	case "home", "g":
		l.hold, l.top = true, s.State.FirstLine
	case "end", "G":
		l.hold = false
	default:
		return false
	}
	return true
}

// turn chooses the next agent whose lines are shown.
func (l *Log) turn(s *Stage, by int) {
	names := []string{""}
	for i := range s.State.Lines {
		if f := s.State.Lines[i].From; !slices.Contains(names, f) {
			names = append(names, f)
		}
	}
	slices.Sort(names)
	i := max(0, slices.Index(names, l.from))
	l.from = names[(i+by+len(names))%len(names)]
}

// matching are the numbers of the lines that pass the filters.
func (l *Log) matching(s *source.State) []int {
	var out []int
	for i := range s.Lines {
		x := &s.Lines[i]
		if x.Level >= l.least && (l.from == "" || x.From == l.from) &&
			l.find.matches(x.Text, x.About, x.From) {
			out = append(out, i)
		}
	}
	return out
}

// scroll moves the first line that shows; at the end the log is followed again.
func (l *Log) scroll(s *Stage, by int) {
	list := l.matching(s.State)
	at, last := l.first(s, list)
	if at += by; at >= last && by > 0 {
		l.hold = false
		return
	}
	if at = max(0, min(at, last)); len(list) > 0 {
		l.hold, l.top = true, list[at]+s.State.FirstLine
	}
}

// first is the place in the list of the first line that shows, and which it is when the end shows.
func (l *Log) first(s *Stage, list []int) (at, last int) {
	last = len(list)
	for rest := l.height; last > 0; last-- {
		rest -= len(logLine(s, &s.State.Lines[list[last-1]], l.width))
		if rest < 0 {
			break
		}
	}
	last = max(0, min(last, len(list)-1))
	if !l.hold {
		return last, last
	}
	at, _ = slices.BinarySearch(list, l.top-s.State.FirstLine)
	return min(at, last), last
}

// Render draws the page.
func (l *Log) Render(s *Stage, width, height int) widget.Block {
	w, h := widget.Inner(width, height)
	if width < 5 || height < 3 {
		w, h = width, height
	}
	l.width, l.height = w, h
	list := l.matching(s.State)
	first, _ := l.first(s, list)
	var body widget.Block
	for i := first; i < len(list) && len(body) < h; i++ {
		body = append(body, logLine(s, &s.State.Lines[list[i]], w)...)
	}
	if len(list) == 0 {
		body = append(body, widget.Text(style.Dim, "no lines"))
	}
	note := widget.Text(style.Dim, "level ").Put(levelRole(l.least), l.least.String()).
		Put(style.Dim, " "+s.Theme.Sep+" from ").Put(style.Accent, or(l.from, "all"))
	if t := l.find.note(); t.Width() > 0 {
		note = note.Put(style.Dim, " "+s.Theme.Sep+" ").Join(t)
	}
	foot := widget.Text(style.Good, "following")
	if l.hold {
		foot = widget.Text(style.Warn, fmt.Sprintf("held at %d of %d", first+1, len(list)))
	}
	if n := s.State.LostLines; n > 0 {
		foot = widget.Text(style.Warn, count(n, "line")+" lost ").Join(foot)
	}
	return widget.Box{Title: "Log", Note: note, Foot: foot, Focus: true}.
		Render(body, width, height, s.Theme)
}

func levelRole(v agent.Level) style.Role {
	return [...]style.Role{style.Dim, style.Plain, style.Warn, style.Bad}[min(v, agent.Err)]
}

// maxLogLines bounds what one line of the log takes on the screen.
const maxLogLines = 8

// logLine is a line of the log, wrapped beside its time and agent.
func logLine(s *Stage, x *source.Line, width int) widget.Block {
	role := levelRole(x.Level)
	sign := [...]string{" ", " ", s.Theme.Warn, s.Theme.Cross}[min(x.Level, agent.Err)]
	head := widget.Line{}
	if width >= 60 {
		head = widget.Text(style.Dim, clock(x.At)+" ")
	}
	head = head.Put(role, sign+" ").
		Join(widget.Text(style.Accent, x.From).Fit(min(16, width/4), s.Theme)).Put(style.Plain, " ")
	text := x.Text
	if x.About != "" && x.About != x.From {
		text = x.About + ": " + text
	}
	body := widget.Wrap(role, text, max(8, width-head.Width()))
	if len(body) > maxLogLines {
		body = append(body[:maxLogLines-1], widget.Text(style.Dim, s.Theme.Ellipsis))
	}
	for i := range body {
		if i > 0 {
			head = widget.Line{}.Pad(head.Width())
		}
		body[i] = head.Join(body[i])
	}
	return body
}

// tailOfLog is the end of the log, for other pages.
func tailOfLog(s *Stage, width, height int) widget.Block {
	w, h := widget.Inner(width, height)
	var body widget.Block
	for i := len(s.State.Lines) - 1; i >= 0 && len(body) < h; i-- {
		body = append(logLine(s, &s.State.Lines[i], w), body...)
	}
	return widget.Box{Title: "Log"}.Render(body[max(0, len(body)-h):], width, height, s.Theme)
}
