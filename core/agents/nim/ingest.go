package nim

import (
	"fmt"
	"slices"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/network"
)

// takeIn brings the list up to date with its sources: the controller's configurations, the local
// operator's, files of the installer, and the one nim makes itself as the last resort. What the
// controller withdraws stays until it is no longer needed: it may be all that works.
func (s *sheet) takeIn() {
	s.takeRows(s.n.wishes)
	s.takeRows(s.n.manual)
	if s.n.manual.Gone(keyManual) {
		if list, was := remove(s.list, keyManual); was {
			s.list = list
			s.reselect("the manual port configuration was withdrawn")
		}
	}
	s.takeFiles()
	s.takeLastResort()
}

// takeRows takes in the rows of a source that were not looked at yet.
func (s *sheet) takeRows(sub *bus.Sub[network.DevicePortConfig]) {
	for key, row := range sub.All() {
		seen := taken{Source: sub.Topic().Owner + ":" + key, Rev: sub.Rev(key)}
		if old := s.n.taken.Get(seen.Source); old != nil && *old == seen {
			continue
		}
		s.n.taken.Put(seen)
		d := sanitize(*row, false)
		for i := range d.Ports {
			if !d.Ports[i].InvalidConfig {
				check(&d, i)
			}
		}
		if sub == s.n.manual {
			d.DPCKey = keyManual
			for i := range d.Ports {
				d.Ports[i].ConfigSource = network.OriginTUI
			}
		}
		s.add(d)
	}
}

// add takes in one configuration, unless it would be dropped at once as no longer needed.
func (s *sheet) add(d network.DevicePortConfig) {
	current := s.current()
	list, changed := update(s.list, d, current)
	if !changed {
		return
	}
	at := -1
	if current >= 0 {
		at = find(list, &s.list[current])
	}
	if kept, _ := compress(list, at, s.set.lastResort); find(kept, &d) < 0 {
		return
	}
	if s.list = list; at >= 0 {
		s.trial.Current = identify(&list[at]) // its time may be a new one
	}
	if i := find(s.list, &d); i >= 0 && !usable(&d) {
		s.record(i, network.DPCFail, func(r *network.TestResults) bool {
			return fail(r, unusable(&d), s.t.Wall)
		})
	}
	s.reselect(fmt.Sprintf("port configuration %s has come", d.DPCKey))
}

// unusable says why a configuration cannot be used.
func unusable(d *network.DevicePortConfig) string {
	for i := range d.Ports {
		if p := &d.Ports[i]; p.IsMgmt && refusal(p) != "" {
			return refusal(p)
		}
	}
	return "no management interfaces"
}

// reselect starts the selection anew, a verification under way included.
func (s *sheet) reselect(why string) {
	s.t.Log(agent.Info, "", why)
	if s.current() < 0 {
		s.trial, s.results = trial{}, nil
	}
	if len(s.list) > 0 {
		s.restart()
	}
}

// settle ends a turn: once the verification is over, what is no longer needed is dropped, and it is
// known whether to look for something better.
func (s *sheet) settle() {
	if !s.trial.Running {
		if i := s.current(); i >= 0 {
			s.armBetter(i)
		}
		s.list, _ = compress(s.list, s.current(), s.set.lastResort)
	}
	s.n.failures.Keep(func(key string) bool {
		return slices.ContainsFunc(s.list, func(d network.DevicePortConfig) bool {
			return identify(&d).text() == key
		})
	})
}
