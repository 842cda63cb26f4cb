package conform_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/netlab"
)

// rest has the kernel remember connections for so short a time that each collection finds them at
// rest: those that are seen from now on.
func (x *bridgeLab) rest(func(func())) {
	for _, name := range []string{"udp_timeout", "udp_timeout_stream"} {
		x.dev.Sysctl("net/netfilter/nf_conntrack_"+name, "100")
	}
}

// echo answers datagrams in a namespace, or only takes them, until it is stopped.
func (x *bridgeLab) echo(s *netlab.Space, port uint16, silent bool) (stop func()) {
	var c net.PacketConn
	var err error
	s.Do(func() { c, err = net.ListenPacket("udp4", fmt.Sprintf(":%d", port)) })
	if err != nil {
		x.t.Error(err)
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 100)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if !silent {
				_, _ = c.WriteTo(b[:n], from)
			}
		}
	}()
	return func() { _ = c.Close(); <-done }
}

// talk sends datagrams and waits for their answers.
func (x *bridgeLab) talk(_ func(func()), k conform.BridgeTalk) {
	g := x.guests[k.Vif]
	g.Settle()
	sender, answerer := g.Space, x.sdn
	from, port := int(k.LPort), k.RPort
	to := fmt.Sprintf("10.99.0.1:%d", k.RPort)
	if k.Inbound {
		sender, answerer, from, port = x.sdn, g.Space, int(k.RPort), k.LPort
		to = fmt.Sprintf("10.99.0.7:%d", k.To)
	}
	defer x.echo(answerer, port, k.Silent)()
	var c net.Conn
	var err error
	sender.Do(func() {
		d := net.Dialer{LocalAddr: &net.UDPAddr{Port: from}}
		c, err = d.Dial("udp4", to)
	})
	if err != nil {
		x.t.Error(err)
		return
	}
	defer func() { _ = c.Close() }()
	within := 5 * time.Second
	if k.Lost {
		within = 100 * time.Millisecond
	}
	for range k.Count {
		_ = c.SetDeadline(time.Now().Add(within))
		_, err = c.Write([]byte("hello"))
		if err == nil {
			_, err = c.Read(make([]byte, 100))
		}
		if (err == nil) == k.Lost {
			x.t.Errorf("%+v: %v", k, err)
		}
	}
}

// resolve asks the service of the bridge for a name.
func (x *bridgeLab) resolve(_ func(func()), vif, name string) {
	g := x.guests[vif]
	g.Settle()
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (c net.Conn,
		err error,
	) {
		g.Space.Do(func() { c, err = new(net.Dialer).DialContext(ctx, network, "10.1.0.1:53") })
		return c, err
	}}
	_, _ = r.LookupHost(x.t.Context(), name+".") // some names nobody has
}
