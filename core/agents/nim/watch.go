package nim

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/network"
)

const (
	testKey = "test" // of the test under way
	// debounce is how long a link, address or server that changed is left to settle before a test.
	debounce = time.Second
)

// watch looks after a configuration that is not under verification: it tests it now and then, at
// once when something changed, and looks for a better one.
func (s *sheet) watch(i int) bool {
	s.done = s.reconcile(&s.list[i])
	s.notice()
	if s.trial.Better > 0 && s.t.Now >= s.trial.Better {
		s.trial.Better = 0
		if next := s.nextTestable(0); next >= 0 && next != i {
			s.begin(next)
			return true
		}
		s.trial.Test = s.t.Now
	}
	if s.t.Now < s.trial.Test && s.trial.Probing == 0 {
		return false
	}
	res, over := s.probe()
	if !over {
		return false
	}
	switch res.Verdict {
	case controllerconn.Works:
		s.mark(res.Ports)
		return s.succeeded(i, network.DPCSuccess, "")
	case controllerconn.RemoteTemporaryFailure:
		s.mark(res.Ports)
		return s.succeeded(i, network.DPCRemoteWait, res.Text)
	}
	if !s.trial.Broken { // once is no reason to do anything
		s.trial.Broken, s.trial.Test = true, s.t.Now+s.set.interval
		return false
	}
	return s.restart()
}

// notice has a configuration that is watched tested soon when something changed since its last
// test, under it included.
func (s *sheet) notice() {
	if len(s.list) == 0 || s.trial.Running || s.trial.Probing > 0 {
		return
	}
	if p := s.print(); p != s.trial.Print {
		s.trial.Print, s.trial.Test = p, s.t.Now+debounce
	}
}

// armBetter sets the time to look for a better configuration: there is one above, or a port of this
// one does not work.
func (s *sheet) armBetter(i int) {
	wanted := s.set.better > 0 && (i != 0 || s.anyPortError(i))
	switch {
	case !wanted:
		s.trial.Better = 0
	case s.trial.Better == 0:
		s.trial.Better = s.t.Now + s.set.better
	}
}

// anyPortError reports whether something is wrong with a port of the configuration in use.
func (s *sheet) anyPortError(i int) bool {
	for k := range s.list[i].Ports {
		if s.trouble(&s.list[i].Ports[k]) != "" {
			return true
		}
	}
	for k := range s.results {
		if r := &s.results[k]; r.LastError != "" {
			return true
		}
	}
	return false
}

// probe tests the ports of the configuration in use and reports whether the test is over; it is
// then forgotten.
func (s *sheet) probe() (controllerconn.TestResult, bool) {
	if s.trial.Probing == 0 {
		s.trial.Probing, s.trial.Print, s.trial.Parked = max(s.t.Now, 1), s.print(), 0
	}
	res := s.n.conn.Test(s.t, testKey, s.ports)
	if !res.Over() {
		if res.Phase != agent.Queued || !s.nameless() {
			return res, false
		}
		res = controllerconn.TestResult{Phase: agent.Failed, Verdict: controllerconn.Fails,
			Text: "controller hostname is not available: " + controllerconn.ServerFile + " is " +
				"missing, empty or cannot be read"}
	}
	s.n.conn.Drop(s.t, testKey)
	s.trial.Probing = 0
	return res, true
}

// nameless reports whether the controller's name is not to be had: there is no file, or it was
// waited for long enough.
func (s *sheet) nameless() bool {
	f := s.n.files.Get(store.FileKey(controllerconn.ServerFile))
	return f == nil || f.Size == 0 || s.t.Now >= s.trial.Probing+s.set.duration
}
