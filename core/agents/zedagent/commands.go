package zedagent

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/eveapi/parse"
)

// Names of commands, and what is given as the reason.
const (
	rebootCommand   = "reboot"
	shutdownCommand = "shutdown"
	rebootReason    = "NORMAL: controller reboot"
	shutdownReason  = "NORMAL: controller shutdown"
)

// commands looks at the commands of a configuration and reports whether one is under way. A
// counter is durable in the same turn in which the command starts, so a command is carried out
// once whatever happens in between.
func (x *turn) commands(base parse.Base) bool {
	late := x.nodeStatus().UpdateInprogress
	if x.command(rebootCommand, base.Reboot) {
		x.s.Reboot, x.s.LateReboot = x.s.Reboot || !late, late
	}
	if x.command(shutdownCommand, base.Shutdown) {
		x.s.Shutdown, x.s.LateShutdown = x.s.Shutdown || !late, late
	}
	return x.s.Reboot || x.s.Shutdown
}

// command stores a counter and reports whether it asks for the command: it differs from the stored
// one, in either direction. The first counter a device ever sees is only stored.
func (x *turn) command(name string, c parse.Command) bool {
	old := x.a.counters.Get(name)
	if !c.Present {
		x.a.counters.Delete(name)
		return false
	}
	x.a.counters.Put(counter{name, c.Counter})
	if old == nil || old.Counter == c.Counter {
		return false
	}
	x.log(agent.Info, "the controller commands: "+name)
	return true
}

// runDeferred starts the commands that waited for the end of an update's test.
func (x *turn) runDeferred() {
	s := &x.s
	if (s.LateReboot || s.LateShutdown) && !x.nodeStatus().UpdateInprogress {
		s.Reboot, s.Shutdown = s.Reboot || s.LateReboot, s.Shutdown || s.LateShutdown
		s.LateReboot, s.LateShutdown = false, false
	}
}

// halting reports whether the device goes down, whoever wants it.
func (x *turn) halting() bool {
	n := x.nodeStatus()
	return x.s.Reboot || x.s.Shutdown || n.DeviceReboot || n.DeviceShutdown || n.DevicePoweroff
}
