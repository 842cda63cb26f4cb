package join

import (
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// onLine passes a log line on: to whoever runs the process, and to the hub, for those who look at
// the device. It runs on the loop.
func (p *process) onLine(from string, at time.Duration, l agent.Line) {
	if p.o.OnLine != nil {
		p.o.OnLine(from, at, l)
	}
	p.out.add(func(b []byte) []byte {
		return wire.AppendLine(b, &wire.Line{From: from, At: at, Line: l})
	})
	if from == "host" && p.k != nil {
		for _, proc := range p.k.Procs() {
			p.health(proc)
		}
	}
}

// health tells the hub how an agent does, when that has changed. It runs on the loop.
func (p *process) health(proc *host.Proc) {
	now := wire.Health{Agent: p.number(proc.Name)}
	if proc.Stopped() {
		now.Condition, now.Why = wire.GivenUp, "it broke three times in a row"
	} else if why := proc.Slow(); why != "" {
		now.Condition, now.Why = wire.Slow, why
	}
	was := p.told[proc.Name]
	if was == now || was.Condition == wire.Well && now.Condition == wire.Well {
		return
	}
	p.told[proc.Name] = now
	p.out.add(func(b []byte) []byte { return wire.AppendHealth(b, &now) })
}
