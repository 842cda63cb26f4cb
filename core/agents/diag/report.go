package diag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// report collects sections in the order in which they are shown, which is that of their names.
type report struct{ sections []node.DiagSection }

func (r *report) section(name string) {
	r.sections = append(r.sections, node.DiagSection{Name: name})
}

// say adds a line to the last section.
func (r *report) say(level node.DiagLevel, format string, args ...any) {
	s := &r.sections[len(r.sections)-1]
	s.Lines = append(s.Lines, node.DiagLine{Level: level, Text: fmt.Sprintf(format, args...)})
	s.Level = max(s.Level, level)
}

func (r *report) has(name string) bool {
	return slices.ContainsFunc(r.sections, func(s node.DiagSection) bool { return s.Name == name })
}

// summary says what the light says, and how far the device is with its controller.
func (a *diag) summary(t *agent.Turn, r *report) {
	r.section("1-summary")
	code := node.LedUndefined
	if led := a.led.Get(entity.Global); led != nil {
		code = led.BlinkCounter
	}
	r.say(ledLevel(code), "%s (%d blinks)", code, code)
	switch server, state := a.server.Read(t); {
	case state == controllerconn.FileUnknown:
	case state == controllerconn.FileReady && strings.TrimSpace(string(server)) != "":
		r.say(node.DiagNote, "controller %s", strings.TrimSpace(string(server)))
	default:
		r.say(node.DiagError, "there is no controller: %s is missing, empty or cannot be read",
			controllerconn.ServerFile)
	}
	if who := a.who.Get(entity.Global); who != nil && who.DeviceUUID != "" {
		r.say(node.DiagPass, "onboarded as %s", who.DeviceUUID)
	} else if c := a.client.Get(entity.Global); c != nil {
		r.say(node.DiagWarning, "not onboarded: %s", c.Step)
		if c.HasError() {
			r.say(node.DiagError, "%s", c.Error)
		}
	}
	for _, f := range a.files.All() {
		if f.HasError() {
			r.say(node.DiagError, "%s", f.Error)
		} else if f.Ignored != "" {
			r.say(node.DiagNote, "%s is passed over: %s", f.Path, f.Ignored)
		}
	}
}

func ledLevel(c node.LedBlinkCount) node.DiagLevel {
	switch {
	case c == node.LedOnboarded:
		return node.DiagPass
	case c >= node.LedOnboardingFailure:
		return node.DiagError
	}
	return node.DiagWarning
}

// configurations lists the port configurations by priority.
func (a *diag) configurations(r *report, dns *network.DeviceNetworkStatus) {
	r.section("2-configurations")
	list := a.dpcl.Get(entity.Global)
	if list == nil || len(list.PortConfigList) == 0 {
		r.say(node.DiagError, "there is no port configuration")
		return
	}
	inUse := list.CurrentIndex
	if dns != nil {
		inUse = dns.CurrentIndex
	}
	for i := range list.PortConfigList {
		d := &list.PortConfigList[i]
		state, level := d.State, node.DiagNote
		mark := ""
		if i == inUse {
			mark = ", in use"
			if dns != nil {
				state = dns.State
			}
			level = stateLevel(state)
		}
		r.say(level, "[%d] %s of %s%s: %s", i, d.DPCKey, d.TimePriority.Format("2006-01-02 15:04:05"),
			mark, stateText(state))
		if d.LastError != "" && !d.Working() {
			r.say(node.DiagWarning, "[%d] failed at %s: %s", i,
				d.LastFailed.UTC().Format("2006-01-02 15:04:05"), d.LastError)
		} else if d.LastWarning != "" {
			r.say(node.DiagWarning, "[%d] %s", i, d.LastWarning)
		}
	}
	if inUse > 0 {
		r.say(node.DiagWarning, "the configuration of the highest priority does not work")
	}
}

func stateLevel(s network.DPCState) node.DiagLevel {
	switch {
	case s == network.DPCSuccess:
		return node.DiagPass
	case s == network.DPCFail || s == network.DPCFailWithIPAndDNS:
		return node.DiagError
	}
	return node.DiagWarning
}

// stateText is a state for people.
func stateText(s network.DPCState) string {
	if s == network.DPCNone {
		return "not tested"
	}
	return s.String()
}
