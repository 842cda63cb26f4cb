package netlab_test

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lookup asks the server of the lab for a name, from a namespace.
func lookup(from *netlab.Space, name string) (addrs []string, err error) {
	from.Do(func() {
		r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string,
		) (net.Conn, error) {
			var d net.Dialer
			c := make(chan struct{})
			var conn net.Conn
			var err error
			go func() {
				defer close(c)
				from.Do(func() { conn, err = d.DialContext(ctx, "udp", "10.99.0.1:53") })
			}()
			<-c
			return conn, err
		}}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		addrs, err = r.LookupHost(ctx, name)
	})
	return addrs, err
}

func TestLAB13_NothingIsLeftBehind(t *testing.T) {
	t.Cleanup(netlab.Untouched(t)) // runs after all that the lab cleans up
	l := netlab.New(t)
	dev, sdn := l.Space("dev"), l.Space("sdn")
	l.Cable(dev, "eth0", sdn, "lan0")
	sdn.Up("lan0", "10.99.0.1/24")
	dev.MAC("eth0", "02:00:00:00:00:01")
	dev.Up("eth0", "10.99.0.7/24")
	s := sdn.Serve(netlab.Server{Link: "lan0", Range: "10.99.0.50,10.99.0.60",
		Hosts: []string{"edge.example,10.99.0.9"}})
	if got, err := lookup(dev, "edge.example"); err != nil || len(got) != 1 || got[0] != "10.99.0.9" {
		t.Errorf("edge.example is %v, %v", got, err)
	}
	s.Change(netlab.Server{Link: "lan0", Hosts: []string{"edge.example,10.99.0.10"}})
	if got, err := lookup(dev, "edge.example"); err != nil || len(got) != 1 || got[0] != "10.99.0.10" {
		t.Errorf("after the change edge.example is %v, %v", got, err)
	}
	s.Kill()
	if got, err := lookup(dev, "edge.example"); err == nil {
		t.Errorf("a server that was killed answers %v", got)
	}
	s.Start()
	if _, err := lookup(dev, "edge.example"); err != nil {
		t.Errorf("started again: %v", err)
	}
	if _, err := os.Stat(s.Leases()); err != nil {
		t.Error(err)
	}
	if up := dev.Find("eth0").Attrs().RawFlags & 0x10000; up == 0 {
		t.Error("no carrier on a cable with both ends up")
	}
	sdn.Down("lan0")
	if up := dev.Find("eth0").Attrs().RawFlags & 0x10000; up != 0 {
		t.Error("a carrier on a cable whose other end is down")
	}
	dev.Run(labtest.Program(t, "true"))
}
