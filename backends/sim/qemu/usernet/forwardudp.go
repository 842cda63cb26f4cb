package usernet

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
)

// Limits of a UDP forward.
const (
	// maxFlows bounds how many clients are told apart; datagrams of one more are lost.
	maxFlows = 1024
	// flowLife is how long a client is remembered that neither sends nor is answered.
	flowLife = 90 * time.Second
	// maxDatagram is the longest payload UDP has over IPv4.
	maxDatagram = 65507
)

// ForwardUDP is like Forward for UDP: datagrams go on to a guest's address and port, and what the
// guest answers goes back to who asked. What comes before the guest has its address is lost, as
// datagrams are.
func (n *Network) ForwardUDP(local, to netip.AddrPort) (*Forward, error) {
	return n.forward("UDP", local, to, func(f *Forward) error {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(local))
		if err != nil {
			return err
		}
		f.shut, f.local = conn, conn.LocalAddr().(*net.UDPAddr).AddrPort()
		x := &flows{f: f, outside: conn, open: map[netip.AddrPort]net.Conn{}}
		f.running.Go(x.receive)
		return nil
	})
}

// flows are the clients of a UDP forward; each has a socket of the gateway's, so that the guest's
// answers are told apart.
type flows struct {
	f       *Forward
	outside *net.UDPConn

	mu   sync.Mutex
	open map[netip.AddrPort]net.Conn
}

// receive passes on what clients send until the forward is closed, and then forgets them.
func (x *flows) receive() {
	packet := make([]byte, maxDatagram)
	for {
		n, from, err := x.outside.ReadFromUDPAddrPort(packet)
		if err != nil {
			break
		}
		if inside := x.of(from); inside != nil {
			_, _ = inside.Write(packet[:n]) // lost, as datagrams are
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, inside := range x.open {
		_ = inside.Close()
	}
}

// of is the socket of a client, made for a new one; nil if there can be none.
func (x *flows) of(from netip.AddrPort) net.Conn {
	x.mu.Lock()
	defer x.mu.Unlock()
	inside := x.open[from]
	f := x.f
	if inside == nil {
		if len(x.open) == maxFlows || !f.network.has(f.to.Addr()) {
			return nil
		}
		conn, err := gonet.DialUDP(f.network.stack, nil, &tcpip.FullAddress{
			NIC: nicID, Addr: tcpip.AddrFrom4(f.to.Addr().As4()), Port: f.to.Port(),
		}, ipv4.ProtocolNumber)
		if err != nil {
			return nil
		}
		inside = conn
		x.open[from] = inside
		f.running.Go(func() { x.answer(from, inside) })
	}
	_ = inside.SetReadDeadline(time.Now().Add(flowLife))
	return inside
}

// answer passes on what the guest sends to a client until both were silent, or until it says that
// nobody listens; the client's next datagram then begins anew.
func (x *flows) answer(to netip.AddrPort, inside net.Conn) {
	packet := make([]byte, maxDatagram)
	for {
		n, err := inside.Read(packet)
		if err != nil {
			break
		}
		if _, err := x.outside.WriteToUDPAddrPort(packet[:n], to); err != nil {
			break
		}
		_ = inside.SetReadDeadline(time.Now().Add(flowLife))
	}
	x.mu.Lock()
	delete(x.open, to)
	x.mu.Unlock()
	_ = inside.Close()
}
