package bridge

import (
	"github.com/evetwin/evetwin/backends/linux/netpart"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Options of the part.
type Options struct {
	// Space is the network namespace by its name under /run/netns; empty: that of the process.
	Space string
	// State is a folder that lives as long as the kernel's configuration does, on a tmpfs: specs,
	// leases, and what the dnsmasq of each bridge is told. It must be given.
	State string
	// Dnsmasq is the program; empty: "dnsmasq".
	Dnsmasq string
	// Keeper returns the keeper of the device's secrets; it is called at each boot, on the device's
	// loop. Nil: no secret is known.
	Keeper func() *secret.Keeper
	// OnError takes what goes wrong beside the ops, from any goroutine. Nil: nobody wants to know.
	OnError func(error)

	// after is for tests: see netkernel.Kernel.
	after func(what string) error
}

// Bridge is the part over the network of a kernel.
type Bridge struct {
	o    Options
	part netpart.Part[*machine, picture]
}

// New makes the part; it touches nothing before it is wired.
func New(o Options) *Bridge { return &Bridge{o: o} }

// Wire publishes what there is and serves the ops of the part. What an earlier process of this boot
// of the kernel configured is adopted.
func (n *Bridge) Wire(k *host.Kernel) {
	n.Close()
	pt := k.Part("bridge")
	items, vifs := bus.Publish(pt, device.Items), bus.Publish(pt, device.Vifs)
	records := bus.Publish(pt, device.Records)
	offers := newOffering(&n.o, pt)
	b := n.part.Begin(pt, netpart.Plan[*machine, picture]{
		Open: func(show func(*picture)) (*machine, error) {
			m, err := open(n.o, show)
			if err != nil {
				return nil, err
			}
			if err := offers.open(); err != nil {
				m.Close()
				return nil, err
			}
			m.ask = offers.ask
			return m, nil
		},
		Put: func(x *picture) {
			netpart.Put(items, x.items)
			netpart.Put(vifs, x.vifs)
			records.Put(x.records)
		},
		Complete: func() {
			items.Complete()
			vifs.Complete()
			records.Complete()
			offers.begin()
		},
		OnError: func(err error) {
			offers.fail(err)
			if n.o.OnError != nil {
				n.o.OnError(err)
			}
		}})
	netpart.Serve(b, device.Set, func(m *machine, q *device.SetReq) (string, func() error) {
		return "set " + q.Item, func() error { return m.set(q.Item, q.Spec) }
	})
	netpart.Serve(b, device.Clear, func(m *machine, q *device.ClearReq) (string, func() error) {
		return "clear " + q.Item, func() error { return m.clear(q.Item) }
	})
	netpart.Query(b, device.Counters, (*machine).counters)
	netpart.Answer(b, device.Flows, (*machine).flows)
}

// Close ends the watch, each dnsmasq and the metadata service. What is configured in the kernel
// stays, for the next process.
func (n *Bridge) Close() { n.part.Close() }
