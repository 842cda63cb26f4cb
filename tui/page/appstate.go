package page

import (
	"fmt"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// stateRole is how a state of software looks.
func stateRole(st entity.SwState) style.Role {
	switch st {
	case entity.RUNNING, entity.INSTALLED, entity.CREATED_VOLUME, entity.VERIFIED, entity.LOADED,
		entity.DOWNLOADED, entity.REMOTELOADED:
		return style.Good
	case entity.BROKEN, entity.FAILED:
		return style.Bad
	case entity.HALTING, entity.HALTED, entity.PAUSING, entity.PAUSED, entity.UNKNOWN:
		return style.Warn
	case entity.INITIAL, entity.PENDING:
		return style.Dim
	}
	return style.Busy
}

func stateSign(s *Stage, st entity.SwState) string {
	switch stateRole(st) {
	case style.Good:
		return s.Theme.On
	case style.Bad:
		return s.Theme.Cross
	case style.Dim, style.Warn:
		return s.Theme.Off
	}
	return s.Theme.Part
}

// appSign is the sign of an application: an error beats its state.
func appSign(s *Stage, a *app.AppInstanceStatus) widget.Line {
	if a.HasError() {
		sign, role := severitySign(s, a.ErrorSeverity)
		return widget.Text(role, sign)
	}
	if a.State == entity.RUNNING {
		return widget.Text(style.Good, s.Theme.On)
	}
	return widget.Text(stateRole(a.State), stateSign(s, a.State))
}

// severitySign is the sign of an error.
func severitySign(s *Stage, v entity.Severity) (string, style.Role) {
	switch v {
	case entity.SeverityNotice:
		return s.Theme.Part, style.Busy
	case entity.SeverityWarning:
		return s.Theme.Warn, style.Warn
	}
	return s.Theme.Cross, style.Bad
}

// severity is the sign of an error and a blank.
func severity(s *Stage, v entity.Severity) widget.Line {
	sign, role := severitySign(s, v)
	return widget.Text(role, sign+" ")
}

// appState is an application's state with what there is to say about it.
func appState(s *Stage, a *app.AppInstanceStatus, width int) widget.Line {
	l := widget.Text(stateRole(a.State), a.State.String())
	switch {
	case a.RestartInprogress != app.NotInprogress:
		return l.Put(style.Warn, " restart: "+a.RestartInprogress.String())
	case a.PurgeInprogress != app.NotInprogress:
		return l.Put(style.Warn, " purge: "+a.PurgeInprogress.String())
	case a.HasError():
		return l.Put(style.Dim, " with an error")
	case a.State == entity.DOWNLOADING:
		l = l.Put(style.Plain, " ")
		if room := min(16, width-l.Width()-5); room >= 4 {
			l = l.Join(widget.Bar(float64(a.Progress)/100, room, style.Busy, s.Theme))
		}
		return l.Put(style.Plain, fmt.Sprintf(" %3d%%", a.Progress))
	case a.MissingMemory:
		return l.Put(style.Warn, " waits for memory")
	case a.MissingNetwork:
		return l.Put(style.Warn, " waits for its network")
	case a.State == entity.RUNNING:
		return l.Put(style.Accent, " "+appAddresses(a))
	}
	return l
}

// appAddresses are the addresses of an application: those it was seen to have, else those it will
// be given.
func appAddresses(a *app.AppInstanceStatus) string {
	text := ""
	for i := range a.AppNetAdapters {
		if t := adapterAddresses(&a.AppNetAdapters[i]); t != "" {
			if text != "" {
				text += ", "
			}
			text += t
		}
	}
	return text
}
