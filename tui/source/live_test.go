package source

import (
	"context"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
	"github.com/evetwin/evetwin/core/topics/node"
)

// keeper publishes a step and remembers something of its own.
type keeper struct {
	out *bus.Pub[node.ClientStatus]
	own *bus.Pub[note]
}

func newKeeper(own bus.Topic[note]) agent.New {
	return func(p bus.Port) agent.Agent {
		return &keeper{bus.Publish(p, node.Client), bus.Publish(p, own)}
	}
}

func (k *keeper) Step(t *agent.Turn) {
	if k.own.Get("once") == nil {
		t.Log(agent.Info, "", "begins")
	}
	k.own.Put(note{"once", "remembered"})
	k.out.Put(node.ClientStatus{Step: "certs"})
}

// lamp is hardware of one part, which changes without any agent.
type lamp struct{ part *host.Part }

func (l *lamp) Wire(k *host.Kernel, _ host.Machine) { l.part = k.Part("lamp") }
func (l *lamp) Cut(func(string) uint64)             {}

func TestLiveDeviceFeedsATerminalOverASocket(t *testing.T) {
	own := bus.NewTopic[note](bus.Decl{Owner: "zedclient", Name: "Run", Life: bus.Local})
	lit := bus.NewTopic[note](bus.Decl{Owner: "lamp", Name: "Lit"})
	hw := &lamp{}
	var d *live.Device
	var f *Feed
	f = NewFeed(FeedOptions{
		Pull: func(ctx context.Context) {
			_ = d.Do(ctx, func(k *host.Kernel) { // a device that has stopped shows nothing new
				if k == nil {
					f.Sync(nil, nil)
					return
				}
				var list []Agent
				for _, p := range k.Procs() {
					list = append(list, Agent{Name: p.Name, Starts: p.Started(), Turns: p.Turn})
				}
				f.Sync(k, list)
			})
		},
		Act: func(ctx context.Context, _ Request) error {
			return d.Do(ctx, func(*host.Kernel) { d.Reboot(0) })
		},
	})
	d, err := live.New(live.Options{Name: "edge", Hardware: hw,
		Agents: []agent.Entry{{Name: "zedclient", New: newKeeper(own)}},
		OnBoot: func(k *host.Kernel) { f.Boot(k.Device(), k.BootCount()) },
		OnTurn: func(p *host.Proc, in *host.Input, _ *host.Output) { f.Turn(p.Name, in.Now) },
		OnLine: f.Line})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	path := socket(t)
	stop := serve(t, listen(t, path), f, ServeOptions{Write: true})
	c, s := dial(t, path, DialOptions{Write: true}), NewState()
	until(t, c, s, func() bool { return Get(s, node.Client, "global") != nil && len(s.Lines) > 0 })
	if names(s)["zedclient/Run"] != 1 || s.Agents[0].Turns == 0 || s.Device.Boot != 1 ||
		s.Lines[0].Text != "begins" {
		t.Errorf("tables %v, agents %+v, device %+v, log %v", names(s), s.Agents, s.Device,
			texts(s.Lines))
	}
	if err := d.Do(soon(t), func(*host.Kernel) {
		hw.part.Do(func() { bus.Publish(hw.part, lit).Put(note{"lamp", "on"}) })
	}); err != nil {
		t.Fatal(err)
	}
	until(t, c, s, func() bool { return names(s)["lamp/Lit"] == 1 })
	asked := make(chan error, 1)
	go func() { asked <- c.Do(ctx, Request{Verb: Reboot}) }()
	until(t, c, s, func() bool { return s.Device.Boot == 2 && names(s)["zedclient/Run"] == 1 })
	if err := <-asked; err != nil || names(s)["lamp/Lit"] != 0 {
		t.Errorf("after a reboot: %v, tables %v", err, names(s))
	}
	stop()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
