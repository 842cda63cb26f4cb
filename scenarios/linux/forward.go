package linux

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
)

// Forward has a port of this machine's loopback lead to a port of the device, as the outside
// reaches it. Stop ends it, with all connections.
func (h *Host) Forward(port uint16) (at netip.AddrPort, stop func(), err error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return at, nil, fmt.Errorf("forward port %d of the device: %w", port, err)
	}
	ctx, cancel := context.WithCancel(h.ctx)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := lis.Accept()
			if err != nil {
				return // it was closed
			}
			serving.Go(func() { h.carry(ctx, c, port) })
		}
	})
	return lis.Addr().(*net.TCPAddr).AddrPort(), func() {
		cancel()
		_ = lis.Close() // which was only listened to
		serving.Wait()
	}, nil
}

// carry carries one connection until either end closes it.
func (h *Host) carry(ctx context.Context, c net.Conn, port uint16) {
	m := machine{Host: h}
	far, err := m.outside.dial(ctx, "tcp", fmt.Sprintf("%s:%d", m.address(), port))
	if err != nil {
		_ = c.Close() // who asks sees that nobody is there
		return
	}
	over := context.AfterFunc(ctx, func() { _ = errors.Join(c.Close(), far.Close()) })
	defer over()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, far}, {far, c}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = errors.Join(way[0].Close(), way[1].Close()) // the other way ends, too
		})
	}
	both.Wait()
}
