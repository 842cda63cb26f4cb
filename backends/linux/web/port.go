package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/exchange"
	"github.com/evetwin/evetwin/backends/linux/netspace"
	device "github.com/evetwin/evetwin/core/device/web"
)

// port is a way out of the device: an interface and one of its addresses.
type port struct {
	space string
	src   netip.Addr
	zone  string // number of the interface
}

// openPort finds the interface of a Via and checks that it has the address and a carrier: without
// one the kernel would try for seconds.
func openPort(space string, via *device.Via) (*port, error) {
	h, err := netspace.Handle(space)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	src := via.Source.Unmap().WithZone("")
	l, err := h.LinkByName(via.IfName)
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) {
		return nil, &failure{fault: exchange.NoAddress(via)}
	}
	if err != nil {
		return nil, fmt.Errorf("find interface %s: %w", via.IfName, err)
	}
	addrs, err := h.AddrList(l, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list the addresses of %s: %w", via.IfName, err)
	}
	for _, a := range addrs {
		if have, ok := netip.AddrFromSlice(a.IP); !ok || have.Unmap() != src {
			continue
		}
		if l.Attrs().RawFlags&unix.IFF_LOWER_UP == 0 {
			return nil, fail(device.FaultUnreachable, "%s has no carrier", via.IfName)
		}
		return &port{space: space, src: src, zone: strconv.Itoa(l.Attrs().Index)}, nil
	}
	return nil, &failure{fault: exchange.NoAddress(via)}
}

// dial opens a connection from the port's address.
func (p *port) dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	dst := to.Addr().Unmap()
	if dst.Is6() != p.src.Is6() {
		return nil, fail(device.FaultUnreachable,
			"%s is not of the IP version of the source address %s", dst, p.src)
	}
	from := netip.AddrPortFrom(p.zoned(p.src), 0)
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(from)}
	if network == "udp" {
		d.LocalAddr = net.UDPAddrFromAddrPort(from)
	}
	var c net.Conn
	err := netspace.Do(p.space, func() (err error) {
		c, err = d.DialContext(ctx, network, netip.AddrPortFrom(p.zoned(dst), to.Port()).String())
		return err
	})
	return c, err
}

// zoned gives a link-local address the zone of the interface.
func (p *port) zoned(a netip.Addr) netip.Addr {
	if a.Is6() && a.IsLinkLocalUnicast() {
		return a.WithZone(p.zone)
	}
	return a.WithZone("")
}

// connect opens a TCP connection to "host:port", at the first address of the host that answers.
// Names are asked of servers. All of it has to be done while ctx lives; where it ends by its own
// limit that is a timeout.
func (p *port) connect(ctx context.Context, servers []netip.Addr, addr string) (net.Conn, error) {
	host, number, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fail(device.FaultRefusedURL, "%s: %v", addr, err)
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 {
		return nil, fail(device.FaultUnreachable, "%s is not a port", number)
	}
	addrs, err := p.resolve(ctx, servers, host)
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		var c net.Conn
		c, err = p.dial(ctx, "tcp", netip.AddrPortFrom(a, uint16(n)))
		if err == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("connect to %s: %w", addr, err)
}
