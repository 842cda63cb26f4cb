package twin

import (
	"time"

	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/host/live"
)

// NewSimulated makes a device of the site in real time whose hardware and network are models: the
// controller is called in the process. Many fit into one.
func (s *Site) NewSimulated(o DeviceOptions) (*live.Device, error) {
	b, err := s.board(o, time.Now, never, func(b board.Options) board.Options { return b })
	if err != nil {
		return nil, err
	}
	if o.Agents == nil {
		o.Agents = roster.Agents()
	}
	return live.New(live.Options{Name: o.Name, Seed: o.Seed, Agents: o.Agents, Hardware: b,
		OnTurn: o.OnTurn, OnLine: o.OnLine, OnBoot: o.OnBoot})
}
