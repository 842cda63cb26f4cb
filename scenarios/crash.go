package scenarios

import (
	"sort"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/scenarios/scenario"
)

// settle is how long a device is left alone before its state counts.
const settle = 30 * time.Minute

var agentCrashes = scenario.New("agent-crashes", func(s *scenario.S) {
	want := s.Reference(func(r *scenario.S) {
		running(r)
		r.Wait(settle)
	})
	d := s.Device("edge")
	d.Boot()
	s.Wait(time.Second)
	type crash struct {
		at    time.Duration
		agent string
	}
	var plan []crash
	for _, a := range d.Agents() {
		plan = append(plan, crash{s.Between("first/"+a, 0, 3*time.Minute), a},
			crash{s.Between("second/"+a, 0, 8*time.Minute), a})
	}
	sort.Slice(plan, func(i, j int) bool { return plan[i].at < plan[j].at })
	applied := false
	for _, c := range plan {
		for s.Now() < c.at {
			if !applied && d.UUID() != "" {
				d.Set(web(s, d))
				applied = true
			}
			s.Wait(min(time.Second, c.at-s.Now()))
		}
		d.Crash(c.agent)
	}
	if !applied {
		d.Onboard()
		d.Set(web(s, d))
	}
	s.Eventually(d.AppState("web"), 30*time.Minute).Should(Equal("RUNNING"))
	s.Eventually(d.Answers("web", 8080), 5*time.Minute).Should(BeTrue())
	s.Wait(settle)
	if n := d.Guests("web"); n != 1 {
		s.Fail("%d guests of one application run", n)
	}
	if diff := scenario.Diff(want, s.State()); diff != "" {
		s.Fail("after the crashes the device is not as without them:\n%s", diff)
	}
}, scenario.Covers("APP-47", "APP-46"))
