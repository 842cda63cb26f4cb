package usernet

import (
	"net"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
)

// dnsPort is where name servers listen.
const dnsPort = 53

// dnsTTL is how long guests may keep an answer, in seconds: names of guests come and go.
const dnsTTL = 5

// serveDNS answers name queries over UDP on the gateway's address.
func (n *Network) serveDNS() error {
	conn, err := gonet.DialUDP(n.stack, &tcpip.FullAddress{
		NIC: nicID, Addr: tcpip.AddrFrom4(n.opts.Gateway.As4()), Port: dnsPort,
	}, nil, ipv4.ProtocolNumber)
	if err != nil {
		return err
	}
	n.service = append(n.service, conn)
	n.running.Go(func() {
		packet := make([]byte, 4096)
		for {
			size, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			n.answerDNS(conn, from, packet[:size])
		}
	})
	return nil
}

func (n *Network) answerDNS(conn net.PacketConn, from net.Addr, packet []byte) {
	var parser dnsmessage.Parser
	header, err := parser.Start(packet)
	if err != nil || header.Response {
		return
	}
	question, err := parser.Question()
	if err != nil {
		return
	}
	answer, err := n.answerTo(header, question)
	if err != nil {
		return
	}
	_, _ = conn.WriteTo(answer, from)
}

// answerTo builds the answer to one question: addresses, nothing (the name exists, but has no
// record of this type), or that there is no such name.
func (n *Network) answerTo(
	header dnsmessage.Header, question dnsmessage.Question,
) ([]byte, error) {
	addresses := n.resolve(question.Name.String())
	reply := dnsmessage.Header{
		ID: header.ID, Response: true, Authoritative: true,
		RecursionDesired: header.RecursionDesired, RecursionAvailable: true,
	}
	if len(addresses) == 0 {
		reply.RCode = dnsmessage.RCodeNameError
	}
	builder := dnsmessage.NewBuilder(nil, reply)
	builder.EnableCompression()
	if err := builder.StartQuestions(); err != nil {
		return nil, err
	}
	if err := builder.Question(question); err != nil {
		return nil, err
	}
	if err := builder.StartAnswers(); err != nil {
		return nil, err
	}
	about := dnsmessage.ResourceHeader{
		Name: question.Name, Class: dnsmessage.ClassINET, TTL: dnsTTL}
	for _, address := range addresses {
		if err := addAnswer(&builder, about, question.Type, address); err != nil {
			return nil, err
		}
	}
	return builder.Finish()
}

func addAnswer(builder *dnsmessage.Builder, about dnsmessage.ResourceHeader,
	kind dnsmessage.Type, address netip.Addr) error {
	switch {
	case kind == dnsmessage.TypeA && address.Is4():
		return builder.AResource(about, dnsmessage.AResource{A: address.As4()})
	case kind == dnsmessage.TypeAAAA && address.Is6():
		return builder.AAAAResource(about, dnsmessage.AAAAResource{AAAA: address.As16()})
	default:
		return nil
	}
}
