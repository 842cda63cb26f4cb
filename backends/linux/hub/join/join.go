package join

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/backends/linux/hub/wiring"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// Options of a process.
type Options struct {
	// Socket is the hub's.
	Socket string
	// Agents run in this process.
	Agents []agent.Entry
	// OnLine takes log lines, on the process's loop.
	OnLine func(from string, at time.Duration, l agent.Line)
	// OnTurn sees each turn.
	OnTurn func(p *host.Proc, in *host.Input, out *host.Output)
	// OnBoot is told of the kernel before the agents start, on the loop.
	OnBoot func(k *host.Kernel)
	// OnJoin is given the way onto the loop, once the hub has welcomed the process: what is posted
	// runs in order, while the loop turns.
	OnJoin func(post func(func()))
	// Limits on churn, as for live.Options.
	Limits host.Limits
}

// ErrRefused is why a hub will not have the process; the text says more.
var ErrRefused = errors.New("refused by the hub")

// ErrNewLife says that the device has booted: what the process knows is of an earlier life.
var ErrNewLife = errors.New("the device has booted since")

// process is the client.
type process struct {
	o    Options
	w    wiring.Wiring
	dev  *live.Device
	life string
	subs []*table
	pubs []*table
	out  outbox

	// The rest belongs to the loop.
	k       *host.Kernel
	skew    int64
	told    map[string]wire.Health // by agent, what the hub was told last
	calls   map[uint64]*call
	nextID  uint64
	waiting map[wire.Stored]func()
}

// Run waits for the hub, joins it and runs the agents until ctx ends. It ends with ErrRefused where
// the hub refuses the process, and with ErrNewLife where it comes back as another life of the
// device.
func Run(ctx context.Context, o Options) error {
	p := &process{o: o, w: wiring.Of(o.Agents...), calls: map[uint64]*call{},
		waiting: map[wire.Stored]func(){}, told: map[string]wire.Health{}}
	for _, d := range p.w.Subs {
		p.subs = append(p.subs, &table{decl: d, head: bus.Empty(0)})
	}
	for _, d := range p.w.Pubs {
		p.pubs = append(p.pubs, &table{decl: d, head: bus.Empty(0), own: true})
	}
	p.out.bell = make(chan struct{}, 1)
	conn, w, err := p.connect(ctx)
	if err != nil {
		return err
	}
	p.life = w.Life
	if err := p.first(conn); err != nil {
		_ = conn.Close()
		return err
	}
	if err := p.build(w); err != nil {
		_ = conn.Close()
		return err
	}
	if o.OnJoin != nil {
		o.OnJoin(p.dev.Post)
	}
	return p.run(ctx, conn)
}

// build makes the kernel of the process.
func (p *process) build(w wire.Welcome) (err error) {
	booted := time.Now().Add(time.Duration(w.Booted) - sinceBoot())
	p.dev, err = live.New(live.Options{Name: w.Device, Seed: w.Seed, Agents: p.o.Agents,
		Hardware: nowhere{}, Booted: booted, OnLine: p.onLine, OnTurn: p.onTurn, Limits: p.o.Limits,
		OnBoot: p.onBoot,
		Elsewhere: &host.Elsewhere{Boot: w.Boot, Held: p.held, Call: p.call, Durable: func(
			r *host.Record, then func(),
		) {
			p.waiting[wire.Stored{Agent: p.number(r.Agent), Number: r.Turn}] = then
		}}})
	if err != nil {
		return fmt.Errorf("join %s: %w", p.o.Socket, err)
	}
	return nil
}

// run has the agents run while connections come and go.
func (p *process) run(ctx context.Context, conn *wire.Conn) error {
	ctx, stop := context.WithCancelCause(ctx)
	linked := make(chan struct{})
	go func() {
		defer close(linked)
		for {
			err := p.serve(ctx, conn)
			if ctx.Err() != nil {
				return
			}
			p.say(agent.Warn, "hub", "the hub has gone: "+err.Error())
			var w wire.Welcome
			if conn, w, err = p.connect(ctx); err == nil && w.Life != p.life {
				_ = conn.Close()
				err = ErrNewLife
			}
			if err != nil {
				stop(err)
				return
			}
		}
	}()
	err := p.dev.Run(ctx)
	stop(nil)
	<-linked
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) &&
		!errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return err
}

// onBoot learns the kernel, on the loop.
func (p *process) onBoot(k *host.Kernel) {
	p.k = k
	for _, list := range [][]*table{p.subs, p.pubs} {
		for _, t := range list {
			p.name(t)
		}
	}
	if p.o.OnBoot != nil {
		p.o.OnBoot(k)
	}
}

// held is what the hub holds of a topic as the kernel starts.
func (p *process) held(d *bus.Decl) (h bus.Head, aside []string, ok bool) {
	for _, list := range [][]*table{p.subs, p.pubs} {
		for _, t := range list {
			if t.decl == d {
				return t.head, t.keys(), true
			}
		}
	}
	return bus.Head{}, nil, false
}

// number is an agent's place in Hello.
func (p *process) number(name string) int {
	for i, e := range p.o.Agents {
		if e.Name == name {
			return i
		}
	}
	return -1
}

func (p *process) say(l agent.Level, about, text string) {
	p.dev.Post(func() { p.line(l, about, text) })
}

// line writes a line of the process's own, on the loop.
func (p *process) line(l agent.Level, about, text string) {
	p.onLine("host", p.k.Now(), agent.Line{Level: l, About: about, Text: text})
}

// nowhere is the hardware of a process that has none.
type nowhere struct{}

// Wire declares no part.
func (nowhere) Wire(*host.Kernel, host.Machine) {}

// Cut loses nothing.
func (nowhere) Cut(func(string) uint64) {}
