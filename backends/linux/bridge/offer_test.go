package bridge

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// process is a device with this part and an agent that has it serve, or only looks.
type process struct {
	part  *Bridge
	wants []device.OfferReq
	seen  chan []string // offers that are seen, once the table is complete and all is done
}

// Wire makes the hardware.
func (p *process) Wire(k *host.Kernel, _ host.Machine) { p.part.Wire(k) }

// Cut never comes.
func (p *process) Cut(func(string) uint64) {}

// teller is the agent.
type teller struct {
	p      *process
	offers *bus.Sub[device.OfferSeen]
	offer  *agent.Calls[device.OfferReq, device.None]
}

// Step has everything served that is wanted, and tells what is seen.
func (a *teller) Step(*agent.Turn) {
	done := a.offers.Complete()
	for _, q := range a.p.wants {
		done = a.offer.Want(q.Offer, q).Phase == agent.Done && done
	}
	if !done {
		return
	}
	names := []string{}
	for name := range a.offers.All() {
		names = append(names, name)
	}
	select {
	case a.p.seen <- names:
	default:
	}
}

// lives runs a process until f returns, with what it sees when all it wants is done.
func lives(t *testing.T, o Options, wants []device.OfferReq, f func(seen []string)) {
	t.Helper()
	p := &process{part: New(o), wants: wants, seen: make(chan []string, 1)}
	d, err := live.New(live.Options{Name: "dev", Seed: 1, Hardware: p, Agents: []agent.Entry{
		{Name: "msrv", New: func(b bus.Port) agent.Agent {
			return &teller{p, bus.Subscribe(b, device.Offers), agent.Use(b, device.Offer)}
		}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		p.part.Close()
	}()
	select {
	case names := <-p.seen:
		f(names)
	case <-time.After(20 * time.Second):
		t.Error("not all is served")
	}
}

func TestOffersOutliveTheProcess(t *testing.T) {
	r := newRig(t)
	r.local()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", nil))
	a := r.plug(vifA, macA, "10.1.0.2/24")
	r.Stop()
	offer := func(name, ip string) device.OfferReq {
		return device.OfferReq{Offer: name, Spec: &device.OfferSpec{Bridge: "bn1", App: name,
			Addr: netip.MustParseAddr(ip), Documents: []device.Document{
				{Path: "/me", Code: 200, Type: "text/plain", Body: "I am " + name}}}}
	}
	wants := []device.OfferReq{offer("a", "10.1.0.2"), offer("b", "10.1.0.3"), {Offer: "c"}}
	lives(t, r.o, wants, func([]string) { answers(t, a, "/me", "200 I am a") })

	// What a process that was killed left half written counts for nothing, as does another boot's.
	dir := filepath.Join(r.o.State, offerDir)
	for name, text := range map[string]string{".d.json123": "{", "e.json": `{"Boot":`,
		"f.json": `{"Boot":"another","Offer":{"Offer":"f","Spec":{"To":1}}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lives(t, r.o, nil, func(seen []string) {
		if len(seen) != 2 || seen[0] != "a" || seen[1] != "b" {
			t.Errorf("a new process goes on from %q", seen)
		}
		answers(t, a, "/me", "200 I am a")
	})
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("files %v, error %v", files, err)
	}
	lives(t, r.o, []device.OfferReq{{Offer: "a"}}, func(seen []string) {
		answers(t, a, "/me", "404 Not Found")
	})
	lives(t, r.o, nil, func(seen []string) {
		if len(seen) != 1 || seen[0] != "b" {
			t.Errorf("what was withdrawn is back: %q", seen)
		}
	})
}
