package nim

import (
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/topics/network"
)

// succeed records a success. The times are those of the first of a row of equal outcomes: a test
// that says nothing new changes nothing, for the list is on flash. A wall clock that jumped back
// does not make the success older than the failure before it.
func succeed(r *network.TestResults, warning string, wall time.Time) bool {
	if r.Working() && r.LastError == "" && r.LastWarning == warning {
		return false
	}
	if !r.LastFailed.IsZero() && !wall.After(r.LastFailed) {
		r.LastFailed = wall.Add(-time.Nanosecond)
	}
	r.LastSucceeded, r.LastError, r.LastWarning = wall, "", warning
	return true
}

// fail records a failure, as succeed does.
func fail(r *network.TestResults, text string, wall time.Time) bool {
	known := !r.Working() && !r.LastFailed.IsZero() && !r.LastFailed.After(wall)
	if known && r.LastError == text {
		return false
	}
	if r.LastSucceeded.After(wall) {
		r.LastSucceeded = wall
	}
	r.LastFailed, r.LastError, r.LastWarning = wall, text, ""
	return true
}

// resultsOf are the results that stand on the ports of a configuration in the list.
func resultsOf(d *network.DevicePortConfig) []portResult {
	out := make([]portResult, len(d.Ports))
	for i := range d.Ports {
		out[i] = portResult{d.Ports[i].Logicallabel, d.Ports[i].TestResults}
	}
	return out
}

// portResult is the standing result of a port. Lists of them are in the order of the ports.
type portResult struct {
	label string
	network.TestResults
}

// mark records what a test says of each port. That a port looks well is no news if another of its
// cost was tried and it was not: it would hide an error that only trying shows.
func (s *sheet) mark(list []controllerconn.PortResult) {
	lastCost := -1
	for _, r := range list {
		if p := s.port(r.Logicallabel); p != nil && p.IsMgmt && r.Tested {
			lastCost = max(lastCost, int(p.Cost))
		}
	}
	for _, r := range list {
		p := s.port(r.Logicallabel)
		switch {
		case p == nil:
		case r.Error != "":
			// One text whether the port was to be used or only looked at.
			s.blame(r.Logicallabel, strings.TrimPrefix(r.Error, r.IfName+": "))
		case r.Tested || !p.IsMgmt || int(p.Cost) != lastCost:
			succeed(&s.results[s.resultAt(r.Logicallabel)].TestResults, r.Warning, s.t.Wall)
		}
	}
}

// blame records a failure of a port.
func (s *sheet) blame(label, text string) {
	if i := s.resultAt(label); i >= 0 {
		fail(&s.results[i].TestResults, text, s.t.Wall)
	}
}

func (s *sheet) resultAt(label string) int {
	return slices.IndexFunc(s.results, func(r portResult) bool { return r.label == label })
}

// port finds a port of the configuration in use.
func (s *sheet) port(label string) *network.NetworkPortStatus {
	for i := range s.ports {
		if s.ports[i].Logicallabel == label {
			return &s.ports[i]
		}
	}
	return nil
}

// keep writes the standing results of the ports into the configuration in use, when its own verdict
// changes.
func (s *sheet) keep(d *network.DevicePortConfig) {
	d.Ports = slices.Clone(d.Ports)
	for i := range min(len(d.Ports), len(s.results)) {
		d.Ports[i].TestResults = s.results[i].TestResults
	}
}
