package nim

import (
	"time"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// publish tells what came of the turn and sets its deadlines.
func (s *sheet) publish() {
	s.n.dpcl.Put(network.DevicePortConfigList{CurrentIndex: s.chosen(), PortConfigList: s.list})
	s.n.dpcl.Complete()
	s.n.dns.Put(s.status())
	s.n.dns.Complete()
	s.n.trial.Put(s.trial)
	s.speak()
	s.arm()
}

// chosen is the index that the list names: of the last configuration that a verification ended
// with. While one runs it stays, for the list is on flash; DeviceNetworkStatus has the one in use.
func (s *sheet) chosen() int {
	if !s.trial.Running {
		return s.current()
	}
	old, booted := s.n.dpcl.Get(entity.Global), s.n.dns.Get(entity.Global) != nil
	if !booted || old == nil || old.CurrentIndex < 0 || old.CurrentIndex >= len(old.PortConfigList) {
		return -1
	}
	return index(s.list, identify(&old.PortConfigList[old.CurrentIndex]))
}

// status is the runtime view of the configuration in use.
func (s *sheet) status() network.DeviceNetworkStatus {
	out := network.DeviceNetworkStatus{CurrentIndex: s.current(), Testing: s.trial.Running,
		State: s.trial.State, StateSince: int64(s.trial.Since)}
	if out.CurrentIndex < 0 {
		return out
	}
	d := &s.list[out.CurrentIndex]
	out.DPCKey, out.Version, out.Ports = d.DPCKey, d.Version, s.ports
	if len(out.Ports) != len(d.Ports) {
		out.Ports = s.observe(d)
	}
	old := s.n.dns.Get(entity.Global)
	for i := range out.Ports {
		p := &out.Ports[i]
		if i < len(s.results) {
			p.TestResults = s.results[i].TestResults
		}
		if old != nil && i < len(old.Ports) && old.Ports[i].Logicallabel == p.Logicallabel {
			p.ErrorAndTime = old.Ports[i].ErrorAndTime
		}
		text := s.trouble(&d.Ports[i])
		if text == "" && !p.Working() {
			text = p.LastError
		}
		p.Set(entity.ErrorDescription{Error: text}, s.t.Wall)
	}
	return out
}

// standing are the results that stand on published ports.
func standing(ports []network.NetworkPortStatus) []portResult {
	out := make([]portResult, len(ports))
	for i := range ports {
		out[i] = portResult{ports[i].Logicallabel, ports[i].TestResults}
	}
	return out
}

// speak says through the LED that the device waits for an address, and once that it has one. From
// then on others know more.
func (s *sheet) speak() {
	old := s.n.led.Get(node.LedBlinkCounter{}.Key())
	if old != nil && old.BlinkCounter == node.LedConnecting {
		return
	}
	say := node.LedWaitingForIP
	if (&network.DeviceNetworkStatus{Ports: s.ports}).Usable() {
		say = node.LedConnecting
	}
	if old == nil || old.BlinkCounter != say {
		s.n.led.Put(node.LedBlinkCounter{BlinkCounter: say, Since: int64(s.t.Now)})
	}
}

// arm sets the one deadline of the verification.
func (s *sheet) arm() {
	var at time.Duration
	soonest := func(d time.Duration) {
		if d > s.t.Now && (at == 0 || d < at) {
			at = d
		}
	}
	switch {
	case s.trial.Current.DPCKey == "":
	case s.trial.Probing > 0:
		soonest(s.trial.Probing + s.set.duration)
	case s.trial.Running:
		soonest(s.trial.Parked)
		if s.done.busy {
			soonest(s.trial.Started + waitAsync*s.set.duration)
		}
	default:
		soonest(s.trial.Test)
		soonest(s.trial.Better)
	}
	if at == 0 {
		s.t.Unwake("trial")
		return
	}
	s.t.WakeAt("trial", at)
}
