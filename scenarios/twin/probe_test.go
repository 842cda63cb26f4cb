package twin

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

func TestProbe(t *testing.T) {
	s, err := NewSite(SiteOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := sim.New(sim.Options{Seed: 1})
	var agents []agent.Entry
	for _, e := range roster.Agents() {
		if e.Name != "none" {
			agents = append(agents, e)
		}
	}
	agents = append(agents, agent.Entry{Name: "domainmgr", New: newD}, agent.Entry{Name: "zedrouter", New: newR})
	d, err := s.NewDevice(w, DeviceOptions{Agents: agents, OnLine: func(from string, at time.Duration, l agent.Line) {
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
	for _, x := range s.Controller.Fleet().Devices() {
		cfg, err := DemoDraft("edge").Build()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.SetConfig(fleet.Change{Config: cfg, At: w.Wall()}); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(w.Now() + 10*time.Minute)
	fmt.Printf("%+v\n", Row(d.Kernel(), node.ZedAgent, "zedagent"))
	fmt.Printf("%+v\n", Row(d.Kernel(), network.DNS, "global").State)
	fmt.Println(d.Kernel().Causes())
	for _, x := range s.Controller.Fleet().Devices() {
		for _, r := range x.Requests() {
			fmt.Printf("%+v\n", r)
		}
	}
	began = time.Now()
	was := w.Turns()
	w.Run(w.Now() + 24*time.Hour)
	fmt.Println("a day in", time.Since(began), w.Turns()-was)
}

type none struct{}

func (none) Step(*agent.Turn) {}
func newD(p bus.Port) agent.Agent {
	bus.Publish(p, domain.Statuses)
	bus.Publish(p, domain.Host)
	bus.Publish(p, domain.Caps)
	bus.Publish(p, network.Assignable)
	return none{}
}
func newR(p bus.Port) agent.Agent {
	bus.Publish(p, network.InstanceStatus)
	bus.Publish(p, network.AppNetworkStatuses)
	return none{}
}
func newM(p bus.Port) agent.Agent {
	bus.Publish(p, app.Statuses)
	bus.Publish(p, app.Summary)
	return none{}
}
