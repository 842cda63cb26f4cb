package usernet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
)

// dialLimit is how long a connection through a forward waits for its guest: to boot and take
// its address, and then to answer.
const dialLimit = 10 * time.Second

// Forward is a TCP or UDP port of the host that leads to a guest.
type Forward struct {
	network *Network
	local   netip.AddrPort
	to      netip.AddrPort
	shut    io.Closer // ends the listening
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Forward listens on a local address, usually 127.0.0.1 and a port, 0 for any, and passes each
// connection on to a guest's address and port. A connection that comes before the guest has its
// address waits for that; one the guest refuses is closed.
func (n *Network) Forward(local, to netip.AddrPort) (*Forward, error) {
	return n.forward("TCP", local, to, func(f *Forward) error {
		listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(local))
		if err != nil {
			return err
		}
		f.shut, f.local = listener, listener.Addr().(*net.TCPAddr).AddrPort()
		f.running.Go(func() { f.accept(listener) })
		return nil
	})
}

// forward makes a forward and has it listen.
func (n *Network) forward(kind string, local, to netip.AddrPort, listen func(*Forward) error,
) (*Forward, error) {
	what := fmt.Sprintf("forward %s %v to %v on network %s", kind, local, to, n.opts.Name)
	if !n.opts.Subnet.Contains(to.Addr()) {
		return nil, fmt.Errorf("%s: not in %v", what, n.opts.Subnet)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("%s: %w", what, errClosed)
	}
	f := &Forward{network: n, to: to}
	f.ctx, f.cancel = context.WithCancel(n.ctx)
	if err := listen(f); err != nil {
		f.cancel()
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	n.forwards[f] = true
	return f, nil
}

// Local returns the address the forward listens on.
func (f *Forward) Local() netip.AddrPort { return f.local }

// Close stops listening, cuts the connections and waits for them.
func (f *Forward) Close() error {
	f.cancel()
	err := f.shut.Close()
	f.running.Wait()
	f.network.mu.Lock()
	delete(f.network.forwards, f)
	f.network.mu.Unlock()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (f *Forward) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		f.running.Go(func() { f.carry(conn) })
	}
}

// carry joins a connection with one to the guest until both are done or the forward is closed.
func (f *Forward) carry(outside net.Conn) {
	stop := context.AfterFunc(f.ctx, func() { _ = outside.Close() })
	defer stop()
	defer func() { _ = outside.Close() }()
	ctx, cancel := context.WithTimeout(f.ctx, dialLimit)
	inside, err := f.network.Dial(ctx, f.to)
	cancel()
	if err != nil {
		return
	}
	stopInside := context.AfterFunc(f.ctx, func() { _ = inside.Close() })
	defer stopInside()
	defer func() { _ = inside.Close() }()
	var both sync.WaitGroup
	both.Go(func() { pass(inside, outside) })
	both.Go(func() { pass(outside, inside) })
	both.Wait()
}

// pass copies one direction and ends it on the far side, so that a side that has said all still
// hears the answer.
func pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok {
		_ = to.Close()
		return
	}
	_ = half.CloseWrite()
}

// Dial connects to a guest from the gateway. It waits until the guest has taken its address.
func (n *Network) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	if leased := n.leasedAt(to.Addr()); leased != nil {
		select {
		case <-leased:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %v on network %s: %w", to, n.opts.Name, ctx.Err())
		}
	}
	conn, err := gonet.DialContextTCP(ctx, n.stack, tcpip.FullAddress{
		NIC: nicID, Addr: tcpip.AddrFrom4(to.Addr().As4()), Port: to.Port(),
	}, ipv4.ProtocolNumber)
	if err != nil {
		return nil, fmt.Errorf("connect to %v on network %s: %w", to, n.opts.Name, err)
	}
	return conn, nil
}
