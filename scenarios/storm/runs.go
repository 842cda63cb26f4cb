package storm

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
)

// trouble is what the faults that hold make of a run. Each counts it; the first that acts counts.
func (s *Storm) trouble(_ *host.Kernel, r host.Ran) host.Trouble {
	var out host.Trouble
	for _, a := range s.acts {
		if !a.on || a.On != r.Op || a.Key != "" && a.Key != r.Key {
			continue
		}
		if a.n++; a.N != 0 && a.n != a.N || out != (host.Trouble{}) {
			continue
		}
		switch a.Kind {
		case fault.OpFail:
			out = host.Trouble{Lost: true, Fault: failure(r.Op)}
		case fault.OpDeny:
			out = host.Trouble{Fault: failure(r.Op)}
		case fault.OpDelay:
			out = host.Trouble{Delay: time.Duration(a.Value) * time.Millisecond}
		case fault.OpHang: // what is healed goes on
			out = host.Trouble{Delay: max((a.At+a.For).Duration()-s.v.Sim.Now(), time.Millisecond)}
		case fault.PowerInOp:
			s.cutIn(time.Duration(a.Value) * time.Millisecond)
			a.on = false
		default:
			continue
		}
		a.met++
	}
	return out
}

// failure is how an op says that it did not work and may be tried again.
func failure(op string) *agent.Fault {
	code := nic.FaultBusy
	switch part, _, _ := strings.Cut(op, "."); part {
	case "web":
		code = web.FaultReset
	case "store":
		code = store.FaultIO
	case "hyper":
		code = hyper.FaultFailed
	case "tpm":
		code = tpm.FaultFailed
	case "clock":
		code = clock.FaultNoServer
	}
	return &agent.Fault{Code: code, Text: op + ": injected failure", Retry: true}
}

// cutIn takes the power away after d, if this boot still runs then.
func (s *Storm) cutIn(d time.Duration) {
	boots := s.d.Boots()
	s.v.Sim.At(s.v.Sim.Now()+d, func() {
		if s.d.Kernel() != nil && s.d.Boots() == boots {
			s.d.Reboot(fault.PowerOff.Duration())
		}
	})
}

// lag is how late an agent's turn comes.
func (s *Storm) lag(name string) time.Duration {
	var ms int64
	s.each(fault.AgentSlow, func(a *act) {
		if a.On == name {
			ms = max(ms, a.Value)
		}
	})
	return time.Duration(ms) * time.Millisecond
}

// cut is whether the power goes with a durable write.
func (s *Storm) cut(r *host.Record) sim.Cut {
	var out sim.Cut
	for _, a := range s.acts {
		var when sim.CutPoint
		switch a.Kind {
		case fault.PowerBefore:
			when = sim.CutBefore
		case fault.PowerWithin:
			when = sim.CutWithin
		case fault.PowerAfter:
			when = sim.CutAfter
		}
		if when == sim.NoCut || !a.on || a.On != "" && a.On != r.Agent {
			continue
		}
		if a.n++; a.n < a.N || out.When != sim.NoCut {
			continue
		}
		a.on = false
		a.met++
		out = sim.Cut{When: when, Off: fault.PowerOff.Duration()}
	}
	return out
}
