package netlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/vishvananda/netlink"
)

// Guest is a guest of a device as its network sees it: a namespace behind a cable whose end in the
// device has the name of a guest's interface.
type Guest struct {
	// Space is the guest; its interface is eth0.
	Space *Space
	lab   *Lab
	dev   *Space
	vif   string
	stop  context.CancelFunc
	work  sync.WaitGroup
	open  []func()      // what ends answers
	has   chan struct{} // closed when it uses its address
}

// again is how long a guest waits for an answer before it asks for its address again.
const again = 100 * time.Millisecond

// Guest prepares a guest of a device; it is not plugged in.
func (l *Lab) Guest(dev *Space, vif string) *Guest {
	l.t.Helper()
	g := &Guest{Space: l.Space(vif), lab: l, dev: dev, vif: vif}
	l.t.Cleanup(g.Unplug)
	return g
}

// Plug makes the guest's interface in the device. A guest that asks asks for an address by DHCP
// until it has one, and uses it. It answers TCP connections to the given ports.
func (g *Guest) Plug(mac string, asks bool, ports ...uint16) {
	t := g.lab.t
	t.Helper()
	g.Unplug()
	g.lab.Cable(g.dev, g.vif, g.Space, "eth0")
	g.Space.MAC("eth0", mac)
	g.Space.Up("eth0")
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	for _, p := range ports {
		g.open = append(g.open, g.Space.Answer(fmt.Sprintf(":%d", p), nil))
	}
	if asks {
		g.has = make(chan struct{})
		g.work.Add(1)
		go g.ask(ctx, g.has)
	}
}

// Settle waits until a guest that was given an address uses it.
func (g *Guest) Settle() {
	if g.stop == nil || g.has == nil {
		return
	}
	select {
	case <-g.has:
	case <-time.After(starting):
		g.lab.t.Errorf("the guest of %s has no address after %v", g.vif, starting)
	}
}

// ask asks for an address until there is one.
func (g *Guest) ask(ctx context.Context, has chan<- struct{}) {
	defer g.work.Done()
	for ctx.Err() == nil {
		var c *nclient4.Client
		var err error
		g.Space.Do(func() {
			c, err = nclient4.New("eth0", nclient4.WithTimeout(again), nclient4.WithRetry(1))
		})
		if err != nil {
			continue
		}
		lease, err := c.Request(ctx)
		if err = errors.Join(err, c.Close()); err == nil {
			g.use(lease.ACK)
			close(has)
			return
		}
	}
}

// use configures what was given.
func (g *Guest) use(ack *dhcpv4.DHCPv4) {
	l, err := g.Space.Link.LinkByName("eth0")
	if err != nil {
		return // unplugged meanwhile
	}
	ip, _ := netip.AddrFromSlice(ack.YourIPAddr.To4())
	bits, _ := ack.SubnetMask().Size()
	_ = g.Space.Link.AddrReplace(l, &netlink.Addr{IPNet: &net.IPNet{IP: ip.AsSlice(),
		Mask: net.CIDRMask(bits, 32)}})
	for _, r := range ack.Router() {
		_ = g.Space.Link.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: r})
	}
}

// Unplug is the end of the guest: its interface goes. One that is not plugged in is a success.
func (g *Guest) Unplug() {
	if g.stop == nil {
		return
	}
	g.stop()
	g.stop, g.has = nil, nil
	for _, stop := range g.open {
		stop()
	}
	g.open = nil
	if l, err := g.dev.Link.LinkByName(g.vif); err == nil {
		if err := g.dev.Link.LinkDel(l); err != nil {
			g.lab.t.Error(err)
		}
	}
	g.work.Wait()
}

// Dial opens a TCP connection from a namespace and reports whether somebody answers with a byte
// within the time.
func (s *Space) Dial(to netip.AddrPort, within time.Duration) (ok bool) {
	s.Do(func() {
		d := net.Dialer{Timeout: within}
		c, err := d.Dial("tcp", to.String())
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		_ = c.SetReadDeadline(time.Now().Add(within))
		n, _ := c.Read(make([]byte, 1))
		ok = n == 1
	})
	return ok
}
