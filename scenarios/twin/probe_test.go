package twin

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

func TestProbe(t *testing.T) {
	s, err := NewSite(SiteOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := sim.New(sim.Options{Seed: 1})
	d, err := s.NewDevice(w, DeviceOptions{Agents: append(roster.Agents(), agent.Entry{Name: "zedagent", New: newFake}), OnLine: func(from string, at time.Duration, l agent.Line) {
		t.Log(at, from, l.Level, l.About, l.Text)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Boot(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	ok := w.RunUntil(func() bool {
		o := Row(d.Kernel(), node.Onboarding, "global")
		return o != nil && o.DeviceUUID != ""
	}, 10*time.Minute)
	fmt.Println(ok, w.Now(), time.Since(began), w.Turns(), w.Events())
	fmt.Printf("%+v\n", Row(d.Kernel(), network.DNS, "global"))
	fmt.Printf("%+v\n", Row(d.Kernel(), node.Client, "global"))
	fmt.Println(d.Kernel().Causes())
}

type fake struct {
	c *bus.Pub[config.ConfigItemValueMap]
	z *bus.Pub[node.ZedAgentStatus]
}

func newFake(p bus.Port) agent.Agent {
	bus.Publish(p, network.DPCs.Of("zedagent"))
	bus.Publish(p, network.PhysicalIO)
	return fake{bus.Publish(p, config.Items), bus.Publish(p, node.ZedAgent)}
}

func (f fake) Step(*agent.Turn) {
	f.c.Put(config.ConfigItemValueMap{Values: []config.Value{{Key: "network.fallback.any.eth", Value: "enabled"}}})
	f.c.Complete()
}
