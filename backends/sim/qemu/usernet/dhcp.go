package usernet

import (
	"errors"
	"net"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// leaseTime is how long an address is a guest's. Addresses are fixed, so it only bounds how
// often guests ask.
const leaseTime = 24 * time.Hour

// serveDHCP answers DHCP requests of known guests.
func (n *Network) serveDHCP() error {
	var queue waiter.Queue
	endpoint, fault := n.stack.NewEndpoint(udp.ProtocolNumber, ipv4.ProtocolNumber, &queue)
	if fault != nil {
		return errors.New(fault.String())
	}
	endpoint.SocketOptions().SetBroadcast(true)
	if fault := endpoint.Bind(tcpip.FullAddress{
		NIC: nicID, Port: dhcpv4.ServerPort}); fault != nil {
		endpoint.Close()
		return errors.New(fault.String())
	}
	conn := gonet.NewUDPConn(&queue, endpoint)
	n.service = append(n.service, conn)
	n.running.Go(func() {
		packet := make([]byte, 4096)
		for {
			size, _, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			n.answerDHCP(conn, packet[:size])
		}
	})
	return nil
}

// answerDHCP answers one message. What cannot be read, and who is not known, gets no answer, as
// from a server that has nothing to give.
func (n *Network) answerDHCP(conn net.PacketConn, packet []byte) {
	asked, err := dhcpv4.FromBytes(packet)
	if err != nil || asked.OpCode != dhcpv4.OpcodeBootRequest {
		return
	}
	g, known := n.lookup(asked.ClientHWAddr)
	if !known {
		return
	}
	kind := dhcpv4.MessageTypeOffer
	switch asked.MessageType() {
	case dhcpv4.MessageTypeDiscover:
	case dhcpv4.MessageTypeRequest:
		kind = n.judge(asked, g)
	default:
		return
	}
	if kind == dhcpv4.MessageTypeNone {
		return
	}
	answer, err := dhcpv4.NewReplyFromRequest(asked, n.terms(kind, g)...)
	if err != nil {
		return
	}
	// By broadcast always: a client without an address cannot be reached otherwise.
	to := &net.UDPAddr{IP: net.IPv4bcast, Port: dhcpv4.ClientPort}
	if _, err := conn.WriteTo(answer.ToBytes(), to); err == nil &&
		kind == dhcpv4.MessageTypeAck {
		n.taken(asked.ClientHWAddr)
	}
}

// judge decides on a request: for another server's offer silence, for a wrong address a refusal.
func (n *Network) judge(asked *dhcpv4.DHCPv4, g Guest) dhcpv4.MessageType {
	if server := asked.ServerIdentifier(); server != nil &&
		!server.Equal(n.opts.Gateway.AsSlice()) {
		return dhcpv4.MessageTypeNone
	}
	wanted := asked.RequestedIPAddress()
	if wanted == nil {
		wanted = asked.ClientIPAddr
	}
	if !wanted.Equal(g.IP.AsSlice()) {
		return dhcpv4.MessageTypeNak
	}
	return dhcpv4.MessageTypeAck
}

// terms are what an answer says.
func (n *Network) terms(kind dhcpv4.MessageType, g Guest) []dhcpv4.Modifier {
	gateway := net.IP(n.opts.Gateway.AsSlice())
	terms := []dhcpv4.Modifier{
		dhcpv4.WithMessageType(kind),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(gateway)),
	}
	if kind == dhcpv4.MessageTypeNak {
		return terms
	}
	n.mu.Lock()
	domain, mtu := n.opts.Domain, n.mtu
	n.mu.Unlock()
	if mtu == 0 {
		mtu = n.opts.MTU
	}
	terms = append(terms,
		dhcpv4.WithYourIP(g.IP.AsSlice()),
		dhcpv4.WithNetmask(net.CIDRMask(n.opts.Subnet.Bits(), 32)),
		dhcpv4.WithRouter(gateway),
		dhcpv4.WithDNS(gateway),
		dhcpv4.WithLeaseTime(uint32(leaseTime.Seconds())),
		dhcpv4.WithOption(dhcpv4.Option{
			Code: dhcpv4.OptionInterfaceMTU, Value: dhcpv4.Uint16(mtu)}),
	)
	if domain != "" {
		terms = append(terms, dhcpv4.WithOption(dhcpv4.OptDomainName(domain)))
	}
	return terms
}
