package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// freshFor is how long a change stands out.
const freshFor = 3 * time.Second

// Panes of the page.
const (
	topicPane = iota
	rowPane
	valuePane
	topicPanes
)

// Topics shows every table of the device, the rows of one, and one row.
type Topics struct {
	focus int
	picks [2]Pick
	views [topicPanes]widget.View
	finds [2]search
	full  bool // empty tables and fields show too
}

// Name is the page's name.
func (*Topics) Name() string { return "Topics" }

// Types reports whether words go into a search.
func (p *Topics) Types() bool { return p.find().open }

func (p *Topics) find() *search { return &p.finds[min(p.focus, rowPane)] }

// Hints are the page's keys.
func (p *Topics) Hints(*Stage) []Hint {
	if p.Types() {
		return searchHints
	}
	empty := "show empty"
	if p.full {
		empty = "hide empty"
	}
	if p.focus == valuePane {
		return []Hint{{"↑↓", "scroll"}, {"esc", "back"}, {"e", empty}}
	}
	return []Hint{{"↑↓", "select"}, {"enter", "open"}, {"esc", "back"}, {"/", "search"}, {"e", empty}}
}

// Press moves between the panes and in them.
func (p *Topics) Press(s *Stage, key string) bool {
	if p.focus != valuePane && p.find().press(key) {
		p.views[valuePane].Top = 0
		return true
	}
	switch key {
	case "enter", "right", "l":
		p.focus = min(p.focus+1, valuePane)
	case "esc", "left", "h":
		p.focus = max(p.focus-1, topicPane)
	case "e":
		p.full = !p.full
	default:
		return p.move(s, key)
	}
	return true
}

func (p *Topics) move(s *Stage, key string) bool {
	if p.focus == valuePane {
		v := &p.views[valuePane]
		switch key {
		case "up", "k":
			v.Scroll(-1)
		case "down", "j":
			v.Scroll(1)
		case "home", "g":
			v.Top = 0
		case "end", "G":
			v.Scroll(v.Rows)
		default:
			return scroll(v, key)
		}
		return true
	}
	keys := p.names(s)
	if p.focus == rowPane {
		keys = p.rowKeys(p.table(s))
	}
	if !p.picks[p.focus].Press(key, keys, p.views[p.focus].Height) {
		return false
	}
	if p.focus == topicPane {
		p.picks[rowPane], p.views[rowPane] = Pick{}, widget.View{}
	}
	p.views[valuePane].Top = 0
	return true
}

// names are the tables that are listed.
func (p *Topics) names(s *Stage) []string {
	var out []string
	for _, t := range s.State.Tables {
		if (p.full || len(t.Rows) > 0) && p.finds[topicPane].matches(t.Name) {
			out = append(out, t.Name)
		}
	}
	return out
}

// table is the selected table, nil if there is none.
func (p *Topics) table(s *Stage) *source.Table {
	names := p.names(s)
	if i := p.picks[topicPane].In(names); i >= 0 {
		return s.State.Table(names[i])
	}
	return nil
}

func (p *Topics) rowKeys(t *source.Table) []string {
	var out []string
	if t == nil {
		return nil
	}
	for _, r := range t.Rows {
		if p.finds[rowPane].matches(r.Key) {
			out = append(out, r.Key)
		}
	}
	return out
}

// Render draws the page.
func (p *Topics) Render(s *Stage, width, height int) widget.Block {
	t := p.table(s)
	switch {
	case width >= 130:
		left, middle := width*24/100, width*28/100
		return widget.Beside(p.topics(s, left, height), p.rows(s, t, middle, height),
			p.value(s, t, width-left-middle, height))
	case p.focus == valuePane:
		return p.value(s, t, width, height)
	case width >= 60:
		left := width * 45 / 100
		top := max(min(len(p.rowKeys(t))+3, height/2), min(5, height))
		return widget.Beside(p.topics(s, left, height),
			append(p.rows(s, t, width-left, top), p.value(s, t, width-left, height-top)...))
	case p.focus == rowPane:
		return p.rows(s, t, width, height)
	}
	return p.topics(s, width, height)
}

func (p *Topics) topics(s *Stage, width, height int) widget.Block {
	names := p.names(s)
	tb := widget.Table{Cursor: p.picks[topicPane].In(names), Mark: markOf(p.focus == topicPane),
		Columns: []widget.Column{{Title: "owner/Name", Grow: true}, {Title: "rows", Right: true}}}
	for _, n := range names {
		t := s.State.Table(n)
		owner, name, _ := strings.Cut(n, "/")
		role := style.Plain
		if s.fresh(t.At) {
			role = style.Fresh
		}
		tb.Rows = append(tb.Rows, []widget.Line{widget.Text(style.Dim, owner+"/").Put(role, name),
			widget.Text(style.Dim, strconv.Itoa(len(t.Rows)))})
	}
	w, h := widget.Inner(width, height)
	body := tb.Render(&p.views[topicPane], w, h, s.Theme)
	note := p.finds[topicPane].note()
	if note.Width() == 0 {
		note = widget.Text(style.Dim, strconv.Itoa(len(names)))
	}
	return widget.Box{Title: "Topics", Focus: p.focus == topicPane, Note: note,
		Foot: p.views[topicPane].Note(s.Theme)}.Render(body, width, height, s.Theme)
}

// fresh reports whether something changed a moment ago.
func (s *Stage) fresh(at time.Time) bool { return !at.IsZero() && s.Now.Sub(at) < freshFor }

func (p *Topics) rows(s *Stage, t *source.Table, width, height int) widget.Block {
	keys := p.rowKeys(t)
	tb := widget.Table{Cursor: p.picks[rowPane].In(keys), Mark: markOf(p.focus == rowPane),
		Columns: []widget.Column{{Title: "key", Grow: true}, {Title: "rev", Right: true, Drop: 1},
			{Title: "changed", Right: true}}}
	title := "Rows"
	if t != nil {
		title = t.Name
	}
	for _, k := range keys {
		r := t.Row(k)
		role, when := style.Plain, ""
		if s.fresh(r.At) {
			role = style.Fresh
		}
		if !r.At.IsZero() {
			when = span(s.Now.Sub(r.At))
		}
		tb.Rows = append(tb.Rows, []widget.Line{widget.Text(role, k),
			widget.Text(style.Dim, revision(r.Rev)), widget.Text(style.Dim, when)})
	}
	w, h := widget.Inner(width, height)
	body := tb.Render(&p.views[rowPane], w, h, s.Theme)
	if len(keys) == 0 {
		body = widget.Block{widget.Text(style.Dim, "no rows")}
	}
	return widget.Box{Title: title, Focus: p.focus == rowPane, Note: p.finds[rowPane].note(),
		Foot: p.views[rowPane].Note(s.Theme)}.Render(body, width, height, s.Theme)
}

// revision is a row's number as boot and count in that boot.
func revision(rev uint64) string {
	if rev>>32 == 0 {
		return strconv.FormatUint(rev, 10)
	}
	return fmt.Sprintf("%d.%d", rev>>32, rev&(1<<32-1))
}

// value shows the selected row.
func (p *Topics) value(s *Stage, t *source.Table, width, height int) widget.Block {
	w, h := widget.Inner(width, height)
	keys := p.rowKeys(t)
	at := p.picks[rowPane].In(keys)
	box := widget.Box{Title: "Row", Focus: p.focus == valuePane}
	if at < 0 {
		return box.Render(widget.Block{widget.Text(style.Dim, "no row is selected")}, width, height,
			s.Theme)
	}
	r := t.Row(keys[at])
	box.Title = r.Key
	if p.focus == valuePane && width >= 60 {
		box.Title = t.Name + " " + r.Key
	}
	list := fieldsOf(r.JSON(), r.Val)
	var changed map[string]bool
	switch {
	case !s.fresh(r.At):
	case r.Was == nil:
		box.Note = widget.Text(style.Fresh, "new")
	default:
		changed = changedPaths(list, fieldsOf(r.Before(), r.Was))
		box.Note = widget.Text(style.Fresh, "changed")
	}
	lines := fieldLines(list, changed, !p.full, w)
	body := p.views[valuePane].Block(lines, w, h, s.Theme)
	box.Foot = p.views[valuePane].Note(s.Theme)
	return box.Render(body, width, height, s.Theme)
}
