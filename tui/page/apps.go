package page

import (
	"fmt"
	"slices"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// Apps shows the applications, one of them in detail, and what is being downloaded.
type Apps struct {
	pick   Pick
	view   widget.View
	detail widget.View
}

// Name is the page's name.
func (*Apps) Name() string { return "Applications" }

// Hints are the page's keys.
func (*Apps) Hints(*Stage) []Hint { return []Hint{{"↑↓", "select"}, {"pgup/dn", "details"}} }

// Press moves the selection and the details.
func (a *Apps) Press(s *Stage, key string) bool {
	if scroll(&a.detail, key) {
		return true
	}
	if !a.pick.Press(key, appKeys(s), a.view.Height) {
		return false
	}
	a.detail.Top = 0
	return true
}

func appKeys(s *Stage) []string {
	var out []string
	for _, x := range source.All(s.State, app.Statuses) {
		out = append(out, x.UUID)
	}
	return out
}

// Render draws the page.
func (a *Apps) Render(s *Stage, width, height int) widget.Block {
	if width >= 130 {
		left := width * 46 / 100
		loads := a.downloads(s, left, height)
		return widget.Beside(append(a.list(s, left, height-len(loads)), loads...),
			a.details(s, width-left, height))
	}
	top := min(max(4, len(appKeys(s))+3), max(4, height/2))
	return append(a.list(s, width, min(top, height)), a.details(s, width, height-min(top, height))...)
}

func (a *Apps) list(s *Stage, width, height int) widget.Block {
	tb := widget.Table{Cursor: a.pick.In(appKeys(s)), Mark: style.Chosen,
		Columns: []widget.Column{{Title: "application", Grow: true, Max: 30}, {Title: "state"},
			{Title: "", Max: 40}, {Title: "address", Drop: 2}, {Title: "up", Right: true, Drop: 3}}}
	now := s.State.Wall(s.Now)
	list := source.All(s.State, app.Statuses)
	for _, x := range list {
		up := ""
		if x.State == entity.RUNNING && !x.BootTime.IsZero() {
			up = span(now.Sub(x.BootTime))
		}
		tb.Rows = append(tb.Rows, []widget.Line{
			appSign(s, x).Put(style.Plain, " ").Put(style.Strong, or(x.DisplayName, x.UUID)),
			widget.Text(stateRole(x.State), x.State.String()), appDoing(s, x),
			widget.Text(style.Accent, appAddresses(x)), widget.Text(style.Dim, up)})
	}
	w, h := widget.Inner(width, height)
	body := tb.Render(&a.view, w, h, s.Theme)
	if len(list) == 0 {
		body = widget.Block{widget.Text(style.Dim, "none is configured")}
	}
	return widget.Box{Title: "Applications", Note: a.view.Note(s.Theme), Focus: true}.
		Render(body, width, height, s.Theme)
}

// appDoing is what an application is at, shortly.
func appDoing(s *Stage, x *app.AppInstanceStatus) widget.Line {
	switch {
	case x.RestartInprogress != app.NotInprogress:
		return widget.Text(style.Warn, "restart: "+x.RestartInprogress.String())
	case x.PurgeInprogress != app.NotInprogress:
		return widget.Text(style.Warn, "purge: "+x.PurgeInprogress.String())
	case x.HasError():
		return widget.Text(style.Bad, "error")
	case x.State >= entity.DOWNLOADING && x.State < entity.DOWNLOADED:
		return widget.Bar(float64(x.Progress)/100, 12, style.Busy, s.Theme).
			Put(style.Plain, fmt.Sprintf(" %3d%%", x.Progress))
	case x.MissingMemory:
		return widget.Text(style.Warn, "waits for memory")
	case x.MissingNetwork:
		return widget.Text(style.Warn, "waits for its network")
	case !x.StartTime.IsZero() && x.State == entity.START_DELAYED:
		return widget.Text(style.Busy, "starts in "+span(x.StartTime.Sub(s.State.Wall(s.Now))))
	}
	return widget.Line{}
}

// downloads lists what is being downloaded; without any it takes no room.
func (a *Apps) downloads(s *Stage, width, height int) widget.Block {
	var body widget.Block
	w, _ := widget.Inner(width, height)
	for _, d := range source.All(s.State, content.DownloadStatuses) {
		body = append(body, download(s, d, w)...)
	}
	if len(body) == 0 {
		return nil
	}
	return widget.Box{Title: "Downloads"}.
		Render(body, width, min(len(body)+2, max(0, height/2)), s.Theme)
}

// download is two lines about a download: what, and how far with what speed.
func download(s *Stage, d *content.DownloaderStatus, width int) widget.Block {
	l := widget.Text(style.Plain, size(float64(d.CurrentSize))).Put(style.Dim, " of ").
		Put(style.Plain, size(float64(d.TotalSize)))
	done := 0.0
	if d.TotalSize > 0 {
		done = float64(d.CurrentSize) / float64(d.TotalSize)
	}
	var past widget.Line
	if m := s.State.Meter(d.ImageSha256); m != nil && m.Rate > 0 && d.State == entity.DOWNLOADING {
		l = l.Put(style.Dim, ", ").Put(style.Busy, size(m.Rate)+"/s")
		if left := float64(d.TotalSize-d.CurrentSize) / m.Rate; left > 0 {
			l = l.Put(style.Dim, fmt.Sprintf(", %.0f s left", left))
		}
		past = widget.Spark(m.Past, 0, max(0, min(20, width-l.Width()-2)), style.Busy, s.Theme)
	}
	bar := widget.Bar(done, max(6, min(30, width/3)), stateRole(d.State), s.Theme).
		Put(style.Plain, fmt.Sprintf(" %3.0f%% ", done*100))
	head := bar.Put(style.Strong, d.Name).Put(style.Dim, " by "+d.Port)
	if d.RetryCount > 0 {
		head = head.Put(style.Warn, ", "+count(d.RetryCount, "retry"))
	}
	return widget.Block{head, l.Put(style.Plain, "  ").Join(past)}
}

// details tells all about the selected application.
func (a *Apps) details(s *Stage, width, height int) widget.Block {
	w, h := widget.Inner(width, height)
	f := facts{wide: min(13, w/3), width: w}
	title := "Details"
	list := source.All(s.State, app.Statuses)
	keys := appKeys(s)
	if at := a.pick.In(keys); at >= 0 {
		x := list[slices.Index(keys, keys[at])]
		title = or(x.DisplayName, x.UUID)
		appFacts(s, &f, x)
	} else {
		f.out = append(f.out, widget.Text(style.Dim, "no application is selected"))
	}
	body := a.detail.Block(f.out, w, h, s.Theme)
	return widget.Box{Title: title, Note: a.detail.Note(s.Theme)}.Render(body, width, height, s.Theme)
}
