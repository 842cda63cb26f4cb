package nic

import (
	"time"

	"github.com/evetwin/evetwin/backends/linux/netpart"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Options of the part.
type Options struct {
	// Space is the network namespace by its name under /run/netns; empty: that of the process.
	Space string
	// Ports are interfaces that count as physical beside those that hang on a bus: in a lab, cables
	// between namespaces.
	Ports []string
	// State is a folder that lives as long as the kernel's configuration does, on a tmpfs. What an
	// earlier process configured is adopted from there; empty: nothing is.
	State string
	// ResolvConf is the file of the name service, "/etc/resolv.conf"; empty: none is written.
	ResolvConf string
	// Keeper returns the keeper of the device's secrets; it is called at each boot, on the device's
	// loop. Nil: there are none.
	Keeper func() *secret.Keeper
	// OnError takes what goes wrong beside the ops, from any goroutine: a client that cannot open
	// its socket. Nil: nobody wants to know.
	OnError func(error)

	// after and decline are for tests: see kernel and declineWait.
	after   func(what string) error
	decline time.Duration
}

func (o *Options) declineWait() time.Duration {
	if o.decline > 0 {
		return o.decline
	}
	return declineWait
}

// Nic is the part over the network of a kernel.
type Nic struct {
	o    Options
	part netpart.Part[*machine, picture]
}

// New makes the part; it touches nothing before it is wired.
func New(o Options) *Nic { return &Nic{o: o} }

// Wire publishes what there is and serves the ops of the part. What an earlier process of this boot
// of the kernel configured is adopted.
func (n *Nic) Wire(k *host.Kernel) {
	n.Close()
	pt := k.Part("nic")
	links, addrs := bus.Publish(pt, device.Links), bus.Publish(pt, device.Addrs)
	items := bus.Publish(pt, device.Items)
	start, now := time.Now(), pt.Now()
	since := func(t time.Time) time.Duration { return now + t.Sub(start) }
	b := n.part.Begin(pt, netpart.Plan[*machine, picture]{
		Open: func(show func(*picture)) (*machine, error) { return open(n.o, since, show) },
		Put: func(x *picture) {
			netpart.Put(links, x.links)
			netpart.Put(addrs, x.addrs)
			netpart.Put(items, x.items)
		},
		Complete: func() {
			links.Complete()
			addrs.Complete()
			items.Complete()
		},
		OnError: n.o.OnError})
	private := n.privateKeys()
	netpart.ServeWith(b, device.Set, private, func(m *machine, q *device.SetReq, key *privateKey,
	) (string, func() error) {
		return "set " + q.Item, func() error { return m.set(q.Item, q.Spec, key) }
	})
	netpart.Serve(b, device.Clear, func(m *machine, q *device.ClearReq) (string, func() error) {
		return "clear " + q.Item, func() error { return m.clear(q.Item) }
	})
	netpart.Query(b, device.Counters, (*machine).counters)
}

// Close ends the clients and the watch. What is configured stays, for the next process.
func (n *Nic) Close() { n.part.Close() }
