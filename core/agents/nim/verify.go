package nim

import (
	"fmt"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/topics/network"
)

// How long a verification waits, in test durations since it began.
const (
	waitAsync = 2
	waitPCI   = 2
	waitIntf  = 2
	waitIPDNS = 5
)

// verify moves the verification on as far as it goes in this turn. Each round ends the turn or goes
// on to another configuration, and none is tested twice in a row.
func (s *sheet) verify() {
	for range 2*len(s.list) + 4 {
		if !s.round() {
			s.notice()
			return
		}
	}
	panic("nim: the selection of a port configuration does not end")
}

// round looks once at the configuration in use, and reports whether another one was selected.
func (s *sheet) round() bool {
	if len(s.list) == 0 {
		s.trial = trial{}
		s.ports, s.results = nil, nil
		return false
	}
	i := s.current()
	if i < 0 {
		return s.restart()
	}
	if s.results == nil {
		s.results = resultsOf(&s.list[i])
	}
	s.ports = s.observe(&s.list[i])
	if s.trial.Running {
		return s.examine(i)
	}
	return s.watch(i)
}

// restart selects the first configuration that may be tested, or stays parked.
func (s *sheet) restart() bool {
	if next := s.nextTestable(0); next >= 0 {
		s.begin(next)
		return true
	}
	return s.park()
}

// begin starts the verification of a configuration. One that is in use already keeps its state
// until there is something to say.
func (s *sheet) begin(i int) {
	id := identify(&s.list[i])
	next := trial{Current: id, State: network.DPCAsyncWait, Since: s.t.Now, Running: true,
		Started: s.t.Now}
	if s.trial.Current.is(&s.list[i]) {
		next.State, next.Since = s.trial.State, s.trial.Since
	}
	s.trial, s.results, s.other = next, nil, true
	s.n.conn.Drop(s.t, testKey)
	s.t.Log(agent.Info, "", fmt.Sprintf("verification of port configuration %s at index %d begins",
		id.DPCKey, i))
}

// park stays with the first configuration although it does not work, and tests it from time to
// time. It reports whether there is more to do: it is another one, or was under verification.
func (s *sheet) park() bool {
	d := &s.list[0]
	other := !s.trial.Current.is(d)
	if other {
		s.results, s.other = nil, true
		s.n.conn.Drop(s.t, testKey)
		s.trial = trial{Current: identify(d), State: d.State, Since: s.t.Now}
	}
	more := other || s.trial.Running
	s.trial.Running, s.trial.Parked, s.trial.Broken = false, 0, true
	s.trial.Test = s.t.Now + s.set.interval
	return more
}

// examine is one pass over a configuration under verification.
func (s *sheet) examine(i int) bool {
	d := &s.list[i]
	if label, text := s.taken(d); text != "" {
		s.blame(label, text)
		return s.failed(i, network.DPCFail, text)
	}
	s.done = s.reconcile(d)
	if s.done.busy && s.elapsed() < waitAsync*s.set.duration {
		if !s.trial.State.InProgress() {
			s.state(network.DPCAsyncWait)
		}
		return false
	}
	if s.trial.Parked > s.t.Now && s.trial.Print == s.print() {
		return false
	}
	res, over := s.probe()
	if !over {
		return false
	}
	s.mark(res.Ports)
	switch res.Verdict {
	case controllerconn.Works:
		return s.succeeded(i, network.DPCSuccess, "")
	case controllerconn.RemoteTemporaryFailure:
		return s.succeeded(i, network.DPCRemoteWait, res.Text)
	}
	more := s.excuse(i, res)
	if p := s.print(); !more && s.trial.Parked > s.t.Now && p != s.trial.Print {
		// Something changed under the test that is being waited for: it is no news later.
		s.trial.Parked, s.trial.Print = min(s.trial.Parked, s.t.Now+debounce), p
	}
	return more
}

// excuse judges a test that failed: something may be missing that is worth waiting for.
func (s *sheet) excuse(i int, res controllerconn.TestResult) bool {
	d := &s.list[i]
	missing, there := s.presence(d)
	switch {
	case s.anyBound(d) && s.waits(network.DPCPCIWait, waitPCI),
		len(missing) > 0 && s.waits(network.DPCIntfWait, waitIntf):
		return false
	}
	for _, p := range missing {
		s.blame(p.Logicallabel, fmt.Sprintf("interface %s is missing", p.IfName))
	}
	switch {
	case there == 0:
		return s.failed(i, network.DPCFail, res.Text)
	case !s.ready():
		if s.waits(network.DPCIPDNSWait, waitIPDNS) {
			return false
		}
		return s.failed(i, network.DPCFail, res.Text)
	case res.Verdict == controllerconn.PortsNotReady && s.waits(network.DPCIPDNSWait, waitIPDNS):
		return false
	}
	return s.failed(i, network.DPCFailWithIPAndDNS, res.Text)
}

// waits begins or goes on with a wait, and reports whether its limit has not passed. The test is
// repeated after a test duration, at the limit, or when something changes.
func (s *sheet) waits(state network.DPCState, durations time.Duration) bool {
	limit := s.trial.Started + durations*s.set.duration
	if s.t.Now >= limit {
		return false
	}
	s.state(state)
	s.trial.Parked = min(s.t.Now+s.set.duration, limit)
	return true
}

// succeeded ends a verification, or confirms a configuration in use: the controller can be reached.
func (s *sheet) succeeded(i int, state network.DPCState, warning string) bool {
	s.record(i, state, func(r *network.TestResults) bool { return succeed(r, warning, s.t.Wall) })
	s.state(state)
	s.trial.Running, s.trial.Parked, s.trial.Broken = false, 0, false
	s.trial.Test = s.t.Now + s.set.interval
	if i != 0 && untested(&s.list[0]) {
		return s.restart()
	}
	return false
}

// failed ends a verification without success and selects what to try next.
func (s *sheet) failed(i int, state network.DPCState, text string) bool {
	s.record(i, state, func(r *network.TestResults) bool { return fail(r, text, s.t.Wall) })
	s.state(state)
	d, first := &s.list[i], &s.list[0]
	s.n.failures.Put(failure{DPC: identify(d), LastFailed: d.LastFailed, At: s.t.Now})
	s.t.Log(agent.Warn, "", fmt.Sprintf("port configuration %s failed: %s", d.DPCKey, text))
	next := s.nextTestable(i + 1)
	if i != 0 && (untested(first) || first.Working() && s.testable(first)) {
		next = 0
	}
	if next < 0 {
		return s.park()
	}
	s.begin(next)
	return true
}

// record notes a verdict in the list, if it is another than before.
func (s *sheet) record(i int, state network.DPCState, on func(*network.TestResults) bool) {
	d := s.list[i]
	changed := on(&d.TestResults)
	if !changed && d.State == state {
		return
	}
	d.State = state
	if s.trial.Current.is(&d) {
		s.keep(&d)
		if s.ready() {
			d.LastIPAndDNS = s.t.Wall
		}
	}
	s.list = slices.Clone(s.list)
	s.list[i] = d
}

// state sets the state of the configuration in use.
func (s *sheet) state(to network.DPCState) {
	if s.trial.State != to {
		s.trial.State, s.trial.Since = to, s.t.Now
	}
}

func (s *sheet) elapsed() time.Duration { return s.t.Now - s.trial.Started }

// taken finds a port whose interface an application has.
func (s *sheet) taken(d *network.DevicePortConfig) (label, text string) {
	for i := range d.Ports {
		p := &d.Ports[i]
		if bound, app := s.bound(p.IfName); bound && app != "" {
			return p.Logicallabel, fmt.Sprintf("port %s in PCIBack is used by %s", p.Logicallabel, app)
		}
	}
	return "", ""
}

// anyBound reports whether a port's interface is still bound away from the host.
func (s *sheet) anyBound(d *network.DevicePortConfig) bool {
	return slices.ContainsFunc(d.Ports, func(p network.NetworkPortConfig) bool {
		return s.withheld(&p)
	})
}

// presence lists the management ports whose interface is missing, and counts those that are there.
// One that is bound away from the host is neither: it is known where it is.
func (s *sheet) presence(d *network.DevicePortConfig) (
	missing []network.NetworkPortConfig, there int) {
	for _, p := range d.Ports {
		switch {
		case !p.IsMgmt || refusal(&p) != "" || s.withheld(&p):
		case s.n.links.Get(p.IfName) == nil:
			missing = append(missing, p)
		default:
			there++
		}
	}
	return missing, there
}
