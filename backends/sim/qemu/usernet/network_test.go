package usernet_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/evetwin/evetwin/backends/sim/qemu/usernet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// station is a guest that speaks in frames, at QEMU's end of a cable.
type station struct {
	t     *testing.T
	cable net.Conn
	mac   net.HardwareAddr
}

func newNetwork(t *testing.T, opts usernet.Options) *usernet.Network {
	t.Helper()
	opts.Name, opts.Subnet = "test", netip.MustParsePrefix("10.1.0.0/24")
	network, err := usernet.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := network.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return network
}

// join plugs in a station; last is its address's last byte.
func join(t *testing.T, network *usernet.Network, last byte, known bool) *station {
	t.Helper()
	if known {
		if err := network.AddGuest(usernet.Guest{MAC: net.HardwareAddr{2, 0, 0, 0, 0, last},
			IP: ip(last), Names: []string{fmt.Sprintf("guest%d", last)}}); err != nil {
			t.Fatal(err)
		}
	}
	file, err := network.Attach()
	if err != nil {
		t.Fatal(err)
	}
	return joinBy(t, file, last)
}

// joinBy is a station at the end of a cable.
func joinBy(t *testing.T, file *os.File, last byte) *station {
	t.Helper()
	s := &station{t: t, mac: net.HardwareAddr{2, 0, 0, 0, 0, last}}
	var err error
	s.cable, err = net.FileConn(file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cable.Close() })
	return s
}

func ip(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, 0, last}) }

// raw sends bytes as one frame.
func (s *station) raw(frame []byte) {
	s.t.Helper()
	if _, err := s.cable.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))),
		frame...)); err != nil {
		s.t.Fatal(err)
	}
}

// udp sends a datagram to a MAC address.
func (s *station) udp(to net.HardwareAddr, from, dst netip.AddrPort, payload []byte) {
	s.t.Helper()
	frame := make([]byte, header.EthernetMinimumSize+header.IPv4MinimumSize+
		header.UDPMinimumSize+len(payload))
	header.Ethernet(frame).Encode(&header.EthernetFields{Type: header.IPv4ProtocolNumber,
		SrcAddr: tcpip.LinkAddress(s.mac), DstAddr: tcpip.LinkAddress(to)})
	packet := header.IPv4(frame[header.EthernetMinimumSize:])
	packet.Encode(&header.IPv4Fields{TotalLength: uint16(len(packet)), TTL: 64,
		Protocol: uint8(header.UDPProtocolNumber),
		SrcAddr:  tcpip.AddrFrom4(from.Addr().As4()), DstAddr: tcpip.AddrFrom4(dst.Addr().As4())})
	packet.SetChecksum(^packet.CalculateChecksum())
	datagram := header.UDP(packet.Payload())
	datagram.Encode(&header.UDPFields{SrcPort: from.Port(), DstPort: dst.Port(),
		Length: uint16(len(datagram))})
	copy(datagram.Payload(), payload)
	sum := header.PseudoHeaderChecksum(header.UDPProtocolNumber, packet.SourceAddress(),
		packet.DestinationAddress(), uint16(len(datagram)))
	datagram.SetChecksum(^datagram.CalculateChecksum(checksum.Checksum(payload, sum)))
	s.raw(frame)
}

// next returns the payload of the next datagram to a port, answering ARP on the way; nil when
// none comes within the wait.
func (s *station) next(port uint16, wait time.Duration) []byte {
	s.t.Helper()
	payload, _ := s.nextFrom(port, wait)
	return payload
}

// nextFrom is like next and tells who sent it.
func (s *station) nextFrom(port uint16, wait time.Duration) ([]byte, netip.AddrPort) {
	s.t.Helper()
	if err := s.cable.SetReadDeadline(time.Now().Add(wait)); err != nil {
		s.t.Fatal(err)
	}
	for {
		var length [4]byte
		if _, err := io.ReadFull(s.cable, length[:]); errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, netip.AddrPort{}
		} else if err != nil {
			s.t.Fatal(err)
		}
		frame := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(s.cable, frame); err != nil {
			s.t.Fatal(err)
		}
		switch header.Ethernet(frame).Type() {
		case header.ARPProtocolNumber:
			s.answerARP(frame)
		case header.IPv4ProtocolNumber:
			packet := header.IPv4(frame[header.EthernetMinimumSize:])
			datagram := header.UDP(packet.Payload())
			if packet.TransportProtocol() == header.UDPProtocolNumber &&
				datagram.DestinationPort() == port {
				return datagram.Payload(), netip.AddrPortFrom(
					netip.AddrFrom4(packet.SourceAddress().As4()), datagram.SourcePort())
			}
		}
	}
}

// answerARP tells whoever asks for our address; stations have 10.1.0.<last byte of the MAC>.
func (s *station) answerARP(frame []byte) {
	asked := header.ARP(frame[header.EthernetMinimumSize:])
	ours := ip(s.mac[5]).As4()
	if asked.Op() != header.ARPRequest || !bytes.Equal(asked.ProtocolAddressTarget(), ours[:]) {
		return
	}
	reply := bytes.Clone(frame)
	header.Ethernet(reply).Encode(&header.EthernetFields{Type: header.ARPProtocolNumber,
		SrcAddr: tcpip.LinkAddress(s.mac), DstAddr: header.Ethernet(frame).SourceAddress()})
	answer := header.ARP(reply[header.EthernetMinimumSize:])
	answer.SetOp(header.ARPReply)
	copy(answer.HardwareAddressSender(), s.mac)
	copy(answer.ProtocolAddressSender(), ours[:])
	copy(answer.HardwareAddressTarget(), asked.HardwareAddressSender())
	copy(answer.ProtocolAddressTarget(), asked.ProtocolAddressSender())
	s.raw(reply)
}

var (
	everybody = net.HardwareAddr{255, 255, 255, 255, 255, 255}
	nobody    = netip.AddrPortFrom(netip.IPv4Unspecified(), 68)
	servers   = netip.MustParseAddrPort("255.255.255.255:67")
)

// dhcp sends a DHCP message and returns the answer; nil when none comes.
func (s *station) dhcp(wait time.Duration, terms ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	s.t.Helper()
	message, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(s.mac)}, terms...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.udp(everybody, nobody, servers, message.ToBytes())
	for {
		payload := s.next(68, wait)
		if payload == nil {
			return nil
		}
		answer, err := dhcpv4.FromBytes(payload)
		if err != nil {
			s.t.Fatal(err)
		}
		if answer.TransactionID == message.TransactionID { // all hear all answers
			return answer
		}
	}
}

const soon, never = 5 * time.Second, 100 * time.Millisecond

func discover() dhcpv4.Modifier { return dhcpv4.WithMessageType(dhcpv4.MessageTypeDiscover) }

func request(address netip.Addr) dhcpv4.Modifier {
	return func(d *dhcpv4.DHCPv4) {
		d.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageTypeRequest))
		d.UpdateOption(dhcpv4.OptRequestedIPAddress(address.AsSlice()))
	}
}

func TestAddressesAreGivenToKnownGuests(t *testing.T) {
	network := newNetwork(t, usernet.Options{Domain: "app.local", MTU: 1400})
	guest, stranger := join(t, network, 5, true), join(t, network, 9, false)
	offer := guest.dhcp(soon, discover())
	if offer == nil || !offer.YourIPAddr.Equal(ip(5).AsSlice()) ||
		offer.MessageType() != dhcpv4.MessageTypeOffer {
		t.Fatalf("offer is %v", offer)
	}
	if offer.DomainName() != "app.local" || !offer.Router()[0].Equal(ip(1).AsSlice()) ||
		!offer.DNS()[0].Equal(ip(1).AsSlice()) || offer.SubnetMask().String() != "ffffff00" ||
		!bytes.Equal(offer.Options.Get(dhcpv4.OptionInterfaceMTU), []byte{1400 >> 8, 1400 & 255}) {
		t.Errorf("terms are %s", offer.Summary())
	}
	select {
	case <-network.Leased(guest.mac):
		t.Error("an offer counts as taken")
	default:
	}
	if nak := guest.dhcp(soon, request(ip(77))); nak.MessageType() != dhcpv4.MessageTypeNak {
		t.Errorf("a wrong address is answered with %v", nak)
	}
	if ack := guest.dhcp(soon, request(ip(5))); ack.MessageType() != dhcpv4.MessageTypeAck {
		t.Errorf("the right address is answered with %v", ack)
	}
	<-network.Leased(guest.mac)
	if got := stranger.dhcp(never, discover()); got != nil {
		t.Errorf("a stranger is answered with %v", got)
	}
	network.RemoveGuest(guest.mac)
	if got := guest.dhcp(never, discover()); got != nil {
		t.Errorf("a removed guest is answered with %v", got)
	}
}

func TestNames(t *testing.T) {
	network := newNetwork(t, usernet.Options{Domain: "app.local",
		Resolve: func(name string) []netip.Addr {
			if name == "outside.example" {
				return []netip.Addr{netip.MustParseAddr("192.0.2.1")}
			}
			return nil
		}})
	guest := join(t, network, 5, true)
	network.SetName("Static.Example", netip.MustParseAddr("10.9.9.9"),
		netip.MustParseAddr("2001:db8::1"))
	for _, c := range []struct {
		name string
		kind dnsmessage.Type
		want string
	}{
		{"guest5.", dnsmessage.TypeA, "10.1.0.5"},
		{"GUEST5.app.local.", dnsmessage.TypeA, "10.1.0.5"},
		{"guest5.other.", dnsmessage.TypeA, "RCodeNameError"},
		{"static.example.", dnsmessage.TypeA, "10.9.9.9"},
		{"static.example.", dnsmessage.TypeAAAA, "2001:db8::1"},
		{"guest5.", dnsmessage.TypeAAAA, ""},
		{"outside.example.", dnsmessage.TypeA, "192.0.2.1"},
		{"nowhere.example.", dnsmessage.TypeA, "RCodeNameError"},
	} {
		if got := guest.resolve(c.name, c.kind); got != c.want {
			t.Errorf("%s %v is %q, want %q", c.name, c.kind, got, c.want)
		}
	}
}

// resolve asks the gateway for a name and returns addresses or the error code.
func (s *station) resolve(name string, kind dnsmessage.Type) string {
	s.t.Helper()
	query := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind,
			Class: dnsmessage.ClassINET}}}
	packed, err := query.Pack()
	if err != nil {
		s.t.Fatal(err)
	}
	gateway := net.HardwareAddr{2, 0, 10, 1, 0, 1}
	s.udp(gateway, netip.AddrPortFrom(ip(s.mac[5]), 5353), netip.AddrPortFrom(ip(1), 53), packed)
	var answer dnsmessage.Message
	if err := answer.Unpack(s.next(5353, soon)); err != nil {
		s.t.Fatal(err)
	}
	if answer.RCode != dnsmessage.RCodeSuccess {
		return answer.RCode.String()
	}
	var found []string
	for _, record := range answer.Answers {
		switch body := record.Body.(type) {
		case *dnsmessage.AResource:
			found = append(found, netip.AddrFrom4(body.A).String())
		case *dnsmessage.AAAAResource:
			found = append(found, netip.AddrFrom16(body.AAAA).String())
		}
	}
	return strings.Join(found, " ")
}

// TestFramesThatAreNone sends what QEMU never should, and looks whether the others live on.
func TestFramesThatAreNone(t *testing.T) {
	network := newNetwork(t, usernet.Options{})
	guest, bad := join(t, network, 5, true), join(t, network, 6, true)
	for _, size := range []int{0, 1, 13, 14, 15, 33} {
		bad.raw(bytes.Repeat([]byte{0xff}, size))
	}
	if offer := bad.dhcp(soon, discover()); offer == nil {
		t.Error("short frames cost their sender its cable")
	}
	if _, err := bad.cable.Write([]byte{0xff, 0xff, 0xff, 0xff, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if offer := guest.dhcp(soon, discover()); offer == nil {
		t.Error("a frame of 4 GiB on one cable stops the network")
	}
}

// TestGuestThatDoesNotRead fills the cable of a guest that has stopped, and looks whether its
// neighbours can talk to each other meanwhile.
func TestGuestThatDoesNotRead(t *testing.T) {
	network := newNetwork(t, usernet.Options{})
	one, two, stopped := join(t, network, 5, true), join(t, network, 6, true),
		join(t, network, 7, true)
	stopped.dhcp(soon, discover()) // the switch knows where it is
	text := bytes.Repeat([]byte("x"), 1400)
	from, to := netip.AddrPortFrom(ip(5), 1), netip.AddrPortFrom(ip(7), 1)
	for range 2000 {
		one.udp(stopped.mac, from, to, text)
	}
	two.dhcp(soon, discover())
	one.udp(two.mac, from, netip.AddrPortFrom(ip(6), 99), []byte("hello"))
	if got := two.next(99, soon); !slices.Equal(got, []byte("hello")) {
		t.Errorf("the neighbour hears %q", got)
	}
}

func TestRefusals(t *testing.T) {
	network := newNetwork(t, usernet.Options{})
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 5}
	for name, g := range map[string]usernet.Guest{
		"outside": {MAC: mac, IP: netip.MustParseAddr("10.2.0.5")},
		"gateway": {MAC: mac, IP: ip(1)}, "no MAC": {IP: ip(5)},
	} {
		if err := network.AddGuest(g); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := network.AddGuest(usernet.Guest{MAC: mac, IP: ip(5)}); err != nil {
		t.Fatal(err)
	}
	other := usernet.Guest{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 6}, IP: ip(5)}
	if err := network.AddGuest(other); err == nil {
		t.Error("two guests have one address")
	}
	local := netip.MustParseAddrPort("127.0.0.1:0")
	if _, err := network.Forward(local, netip.MustParseAddrPort("192.0.2.1:80")); err == nil {
		t.Error("a forward leads out of the network")
	}
	forward, err := network.Forward(local, netip.AddrPortFrom(ip(5), 80))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := network.Forward(forward.Local(), netip.AddrPortFrom(ip(5), 80)); err == nil {
		t.Error("two forwards listen on one port")
	}
	if _, err := network.ForwardUDP(local, netip.MustParseAddrPort("[2001:db8::5]:80")); err == nil {
		t.Error("a forward leads to an IPv6 address")
	}
	if err := network.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := network.Attach(); err == nil {
		t.Error("a closed network takes a guest")
	}
	if _, err := network.Forward(local, netip.AddrPortFrom(ip(5), 80)); err == nil {
		t.Error("a closed network takes a forward")
	}
	if conn, err := net.Dial("tcp", forward.Local().String()); err == nil {
		_ = conn.Close()
		t.Error("a forward outlives its network")
	}
	for _, bad := range []string{"10.0.0.0/31", "2001:db8::/64"} {
		if _, err := usernet.New(usernet.Options{Subnet: netip.MustParsePrefix(bad)}); err == nil {
			t.Errorf("a network on %s", bad)
		}
	}
}

// TestCloseWithEverythingOpen closes a network under connections that wait for a guest that
// never comes.
func TestCloseWithEverythingOpen(t *testing.T) {
	network := newNetwork(t, usernet.Options{})
	join(t, network, 5, true)
	forward, err := network.Forward(netip.MustParseAddrPort("127.0.0.1:0"),
		netip.AddrPortFrom(ip(5), 80))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", forward.Local().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := network.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the waiting connection ends with %v", err)
	}
	if err := forward.Close(); err != nil {
		t.Errorf("closing a forward after its network: %v", err)
	}
}
