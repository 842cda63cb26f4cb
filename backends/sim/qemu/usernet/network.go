package usernet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/containers/gvisor-tap-vsock/pkg/tap"
	"github.com/containers/gvisor-tap-vsock/pkg/types"
	"github.com/sirupsen/logrus"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// nicID is the number of the stack's only interface.
const nicID = 1

// defaultMTU is Ethernet's.
const defaultMTU = 1500

// errClosed says that the network is gone.
var errClosed = errors.New("network is closed")

// Options describe a network.
type Options struct {
	// Name stands in errors.
	Name string
	// Subnet is the network's IPv4 prefix; the zero prefix makes a switch alone, with nobody behind
	// it: guests reach each other, and have their addresses from somewhere else.
	Subnet netip.Prefix
	// Gateway is our address in it, and the guests' router and name server. The zero address
	// means the first of the subnet.
	Gateway netip.Addr
	// Domain is the guests' search domain; empty means none.
	Domain string
	// MTU is the link's; 0 means 1500.
	MTU int
	// Resolve answers for names that the network does not hold, in lower case without a final
	// dot. No addresses means that there is no such name. Nil means that no other name exists.
	Resolve func(name string) []netip.Addr
	// OnLease is told each time that a guest has taken its address, on any goroutine; may be nil.
	// It must not call Close.
	OnLease func(mac string, ip netip.Addr)
}

// Network is a running network.
type Network struct {
	opts    Options
	wires   *tap.Switch
	stack   *stack.Stack
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	service []io.Closer

	mu       sync.Mutex
	closed   bool
	mtu      int               // guests are told, 0: the network's
	guests   map[string]*guest // by MAC address
	names    map[string][]netip.Addr
	ports    map[*port]bool
	forwards map[*Forward]bool
}

// New starts a network.
func New(opts Options) (*Network, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, err
	}
	// The switch reports every guest that leaves as an error on the process's stderr.
	logrus.SetOutput(io.Discard)
	n := &Network{
		opts: opts, wires: tap.NewSwitch(false), guests: map[string]*guest{},
		names: map[string][]netip.Addr{}, ports: map[*port]bool{}, forwards: map[*Forward]bool{},
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	if !opts.Subnet.IsValid() {
		n.wires.Connect(noGateway{})
		return n, nil
	}
	if err := n.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start network %s: %w", opts.Name, err), n.Close())
	}
	return n, nil
}

func (o Options) complete() (Options, error) {
	if o.Subnet == (netip.Prefix{}) {
		return o, nil
	}
	o.Subnet = o.Subnet.Masked()
	if !o.Subnet.IsValid() || !o.Subnet.Addr().Is4() || o.Subnet.Bits() > 30 {
		return o, fmt.Errorf("network %s: %v is no IPv4 subnet for guests", o.Name, o.Subnet)
	}
	if !o.Gateway.IsValid() {
		o.Gateway = o.Subnet.Addr().Next()
	}
	if !o.Subnet.Contains(o.Gateway) {
		return o, fmt.Errorf("network %s: gateway %v is not in %v", o.Name, o.Gateway, o.Subnet)
	}
	if o.MTU == 0 {
		o.MTU = defaultMTU
	}
	return o, nil
}

// gatewayMAC is a locally administered address that is the same for every start.
func (n *Network) gatewayMAC() net.HardwareAddr {
	ip := n.opts.Gateway.As4()
	return net.HardwareAddr{0x02, 0x00, ip[0], ip[1], ip[2], ip[3]}
}

// start builds the stack and its services.
func (n *Network) start() error {
	link, err := tap.NewLinkEndpoint(false, uint32(n.opts.MTU), n.gatewayMAC().String(),
		n.opts.Gateway.String(), nil)
	if err != nil {
		return err
	}
	link.Connect(n.wires)
	n.wires.Connect(link)
	n.stack = stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{
			tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4},
	})
	if err := n.stack.CreateNIC(nicID, link); err != nil {
		return errors.New(err.String())
	}
	gateway := tcpip.AddrFrom4(n.opts.Gateway.As4())
	if err := n.stack.AddProtocolAddress(nicID, tcpip.ProtocolAddress{
		Protocol: ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: gateway, PrefixLen: n.opts.Subnet.Bits()},
	}, stack.AddressProperties{}); err != nil {
		return errors.New(err.String())
	}
	subnet := tcpip.AddressWithPrefix{
		Address:   tcpip.AddrFrom4(n.opts.Subnet.Addr().As4()),
		PrefixLen: n.opts.Subnet.Bits(),
	}.Subnet()
	n.stack.SetRouteTable([]tcpip.Route{{Destination: subnet, NIC: nicID}})
	if err := n.serveDHCP(); err != nil {
		return fmt.Errorf("serve DHCP: %w", err)
	}
	if err := n.serveDNS(); err != nil {
		return fmt.Errorf("serve DNS: %w", err)
	}
	return nil
}

// noGateway is what stands behind a switch alone.
type noGateway struct{}

// DeliverNetworkPacket takes nothing.
func (noGateway) DeliverNetworkPacket(tcpip.NetworkProtocolNumber, *stack.PacketBuffer) {}

// LinkAddress is an address that nobody sends to.
func (noGateway) LinkAddress() tcpip.LinkAddress { return "" }

// IP is none.
func (noGateway) IP() string { return "" }

// Cable leads from the switch to a guest's interface.
type Cable struct {
	// File is the guest's end, a socket for QEMU to inherit as a NIC's stream. Its owner closes it
	// once QEMU has started. The cable is pulled for good when QEMU ends.
	File *os.File

	port *port
}

// Plug plugs our end of the cable into the switch or pulls it out: what is sent meanwhile is lost.
func (c *Cable) Plug(in bool) { c.port.out.Store(!in) }

// Gone returns a channel that is closed when the guest's end is gone.
func (c *Cable) Gone() <-chan struct{} { return c.port.gone }

// Attach plugs a cable into the switch and returns its other end; see Cable.File.
func (n *Network) Attach() (*os.File, error) {
	c, err := n.Cable()
	if err != nil {
		return nil, err
	}
	return c.File, nil
}

// Cable makes a cable that is plugged in.
func (n *Network) Cable() (*Cable, error) {
	ours, theirs, err := qemu.Pair()
	if err != nil {
		return nil, fmt.Errorf("attach to network %s: %w", n.opts.Name, err)
	}
	p := newPort(ours)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		p.shut()
		_ = theirs.Close()
		return nil, fmt.Errorf("attach to network %s: %w", n.opts.Name, errClosed)
	}
	n.ports[p] = true
	n.running.Go(p.send)
	n.running.Go(func() {
		// It always ends with an error, the last of which is that QEMU has ended.
		_ = n.wires.Accept(n.ctx, p, types.QemuProtocol)
		p.shut()
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.ports, p)
	})
	return &Cable{File: theirs, port: p}, nil
}

// Close pulls all cables, ends all forwards and services and waits for them. It may be called
// again.
func (n *Network) Close() error {
	n.mu.Lock()
	already := n.closed
	n.closed = true
	var open []io.Closer
	for forward := range n.forwards {
		open = append(open, forward)
	}
	for p := range n.ports {
		open = append(open, closer(p.shut))
	}
	n.mu.Unlock()
	if already {
		return nil
	}
	n.cancel()
	for _, one := range append(open, n.service...) {
		_ = one.Close()
	}
	n.running.Wait()
	if n.stack != nil {
		n.stack.Destroy()
	}
	return nil
}

// closer makes a function an io.Closer.
type closer func()

// Close calls the function.
func (c closer) Close() error { c(); return nil }
