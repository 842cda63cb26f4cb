package waitforaddr

import (
	"net/netip"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const (
	addrLimit  = 5 * time.Minute
	retryFirst = 10 * time.Second
	retryLast  = 10 * time.Minute
	syncKey    = "clock"
)

// Steps of the status.
const (
	stepAddr  = "waiting for an address"
	stepClock = "setting the clock"
	stepDone  = "done"
)

// waitforaddr is only its wiring.
type waitforaddr struct {
	net    *bus.Sub[network.DeviceNetworkStatus]
	clock  *bus.Sub[clock.ClockSeen]
	boot   *bus.Sub[boot.BootSeen]
	status *bus.Pub[node.WaitForAddrStatus]
	sync   *agent.Calls[clock.SyncReq, clock.None]
}

// New attaches waitforaddr to its tables and its op.
func New(p bus.Port) agent.Agent {
	return &waitforaddr{
		net:    bus.Subscribe(p, network.DNS),
		clock:  bus.Subscribe(p, clock.Clock, bus.Optional),
		boot:   bus.Subscribe(p, boot.Boot, bus.Optional),
		status: bus.Publish(p, node.WaitForAddr),
		sync:   agent.Use(p, clock.Sync),
	}
}

// Step is one turn.
func (a *waitforaddr) Step(t *agent.Turn) {
	var s node.WaitForAddrStatus
	if old := a.status.Get(entity.Global); old != nil {
		s = *old
	}
	dns := a.net.Get(entity.Global)
	if !s.Ready {
		s.Addr = firstAddr(dns)
		s.Ready = s.Addr.IsValid() || t.Now >= addrLimit
	}
	s.ClockSet = s.ClockSet || a.set()
	switch {
	case !s.Ready:
		s.Step = stepAddr
		t.WakeAt("addr", addrLimit)
	case a.trusted(&s):
		s.Step, s.ErrorAndTime = stepDone, entity.ErrorAndTime{}
		a.sync.Drop(syncKey)
	case dns != nil && dns.Usable():
		s.Step = stepClock
		a.setClock(t, &s, dns)
	default:
		s.Step = stepClock
		s.Set(entity.ErrorDescription{Error: "set the clock: the device has no address",
			ErrorSeverity: entity.SeverityWarning, ErrorRetryCondition: "an address"}, t.Wall)
	}
	a.status.Put(s)
	a.status.Complete()
}

// set reports whether the clock was set from the network: the part shows it, or says so, whichever
// comes first.
func (a *waitforaddr) set() bool {
	c := a.clock.Get(clock.ClockSeen{}.Key())
	return a.sync.Get(syncKey).Phase == agent.Done || c != nil && c.Synced && !c.RTC
}

// trusted reports whether the clock needs nothing. Before a device certificate is made in the first
// boot the network's time counts, even if there is a battery.
func (a *waitforaddr) trusted(s *node.WaitForAddrStatus) bool {
	c, b := a.clock.Get(clock.ClockSeen{}.Key()), a.boot.Get(boot.BootSeen{}.Key())
	first := b != nil && b.First
	if s.ClockSet || c == nil {
		return true
	}
	return c.RTC && !first
}

// setClock has the clock set, again and again until it is.
func (a *waitforaddr) setClock(t *agent.Turn, s *node.WaitForAddrStatus,
	dns *network.DeviceNetworkStatus) {
	call := a.sync.Want(syncKey, clock.SyncReq{Servers: servers(dns)})
	if call.Phase != agent.Failed {
		return
	}
	severity := entity.SeverityWarning
	if c := a.clock.Get(clock.ClockSeen{}.Key()); c != nil && c.RTC {
		severity = entity.SeverityNotice // the battery's time will do
	}
	s.Set(entity.ErrorDescription{Error: call.Fault.Text, ErrorSeverity: severity,
		ErrorRetryCondition: "tried again after a while"}, t.Wall)
	wait := min(retryFirst<<min(call.Tries-1, 10), retryLast)
	if again := call.Ended + wait; t.Now < again {
		t.WakeAt("clock", again)
	} else {
		a.sync.Redo(syncKey)
	}
}

// firstAddr is the first usable address of a management port, zero if there is none.
func firstAddr(dns *network.DeviceNetworkStatus) netip.Addr {
	if dns == nil {
		return netip.Addr{}
	}
	for i := range dns.Ports {
		if p := &dns.Ports[i]; p.IsMgmt {
			if list := p.Addrs(); len(list) > 0 {
				return list[0]
			}
		}
	}
	return netip.Addr{}
}

// servers lists the time servers of all ports, each once, or the public pool.
func servers(dns *network.DeviceNetworkStatus) []string {
	var out []string
	for i := range dns.Ports {
		for _, s := range dns.Ports[i].NtpServers {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	if len(out) == 0 {
		return []string{"pool.ntp.org"}
	}
	return out
}
