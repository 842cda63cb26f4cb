package conform_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/hyper"
	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

func TestLinuxHyperNetworks(t *testing.T) {
	labtest.Program(t, libvirtd.DefaultProgram)
	hyperNetworks(t, hyper.Libvirt)
}

func TestDirectHyperNetworks(t *testing.T) { hyperNetworks(t, hyper.QEMU) }

func hyperNetworks(t *testing.T, under hyper.Under) {
	t.Cleanup(netlab.Untouched(t))
	v := newVolumes(t)
	conform.HyperNetworks(t, func(t *testing.T) conform.HyperSetup {
		nets := newBridgeLab(t)
		x := newHyperLab(t, v, under, nets.dev.Name)
		s := x.setup()
		s.Part = both{nets.part, x.part}
		s.Networking.IPv6 = true
		s.Networking.Reach = func(_, proto string, port uint16) (err error) {
			at := netip.AddrPortFrom(netip.MustParseAddr("10.99.0.7"), port)
			nets.sdn.Do(func() { err = ask(proto, at) })
			return err
		}
		return s
	})
}

// ask wants an answer from a port, from the thread it runs on.
func ask(proto string, at netip.AddrPort) error {
	const soon = time.Second
	c, err := net.DialTimeout(proto, at.String(), soon)
	if err != nil {
		return err
	}
	err = c.SetDeadline(time.Now().Add(soon))
	if err == nil {
		_, err = fmt.Fprintf(c, "GET / HTTP/1.0\r\n\r\n")
	}
	if err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	return errors.Join(err, c.Close())
}
