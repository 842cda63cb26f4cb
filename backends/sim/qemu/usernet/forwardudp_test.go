package usernet_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/sim/qemu/usernet"
)

// client sends datagrams to a forward.
func client(t *testing.T, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func forwardUDP(t *testing.T, n *usernet.Network, to netip.AddrPort) *usernet.Forward {
	t.Helper()
	f, err := n.ForwardUDP(netip.MustParseAddrPort("127.0.0.1:0"), to)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// send sends a datagram.
func send(t *testing.T, from net.Conn, text []byte) {
	t.Helper()
	if _, err := from.Write(text); err != nil {
		t.Fatal(err)
	}
}

// hears wants the next datagram to be a text.
func hears(t *testing.T, at net.Conn, want string) {
	t.Helper()
	_ = at.SetReadDeadline(time.Now().Add(soon))
	got := make([]byte, 2000)
	n, err := at.Read(got)
	if err != nil || string(got[:n]) != want {
		t.Errorf("hears %q, %v, want %q", got[:n], err, want)
	}
}

// reaches sends a datagram until the guest hears it, and returns whom from: one may be lost, and an
// earlier one may come late.
func reaches(t *testing.T, c net.Conn, g *station, port uint16, text string) netip.AddrPort {
	t.Helper()
	for range 10 {
		send(t, c, []byte(text))
		for {
			got, from := g.nextFrom(port, soon/10)
			if string(got) == text {
				return from
			}
			if len(got) == 0 {
				break
			}
		}
	}
	t.Fatalf("the guest does not hear %.20q at port %d", text, port)
	return netip.AddrPort{}
}

// TestUDPForward sends datagrams of two clients to a guest, which answers each; before the guest
// has its address they are lost.
func TestUDPForward(t *testing.T) {
	network := newNetwork(t, usernet.Options{})
	guest := join(t, network, 5, true)
	f := forwardUDP(t, network, netip.AddrPortFrom(ip(5), 7))
	one, two := client(t, f.Local()), client(t, f.Local())
	send(t, one, []byte("too early"))
	guest.dhcp(soon, request(ip(5)))
	gateway := net.HardwareAddr{2, 0, 10, 1, 0, 1}
	for round := range 3 {
		for name, c := range map[string]*net.UDPConn{"one": one, "two": two} {
			text := fmt.Sprint(name, " ", round)
			from := reaches(t, c, guest, 7, text)
			if from.Addr() != ip(1) {
				t.Fatalf("the guest hears %q from %v, want it from the gateway", text, from)
			}
			guest.udp(gateway, netip.AddrPortFrom(ip(5), 7), from, []byte("re: "+text))
			hears(t, c, "re: "+text)
		}
	}
	reaches(t, one, guest, 7, strings.Repeat("x", 1400))
	local := f.Local()
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	again, err := network.ForwardUDP(local, netip.AddrPortFrom(ip(5), 8))
	if err != nil {
		t.Fatalf("the port of a closed forward: %v", err)
	}
	reaches(t, two, guest, 8, "other port")
	if again.Local() != local {
		t.Errorf("it listens at %v, want %v", again.Local(), local)
	}
}

// TestAKnownGuestKeepsItsAddress adds a guest again, with another name: what leads to it goes on.
func TestAKnownGuestKeepsItsAddress(t *testing.T) {
	network := newNetwork(t, usernet.Options{})
	guest := join(t, network, 5, true)
	guest.dhcp(soon, request(ip(5)))
	leased := network.Leased(guest.mac)
	if err := network.AddGuest(usernet.Guest{MAC: guest.mac, IP: ip(5),
		Names: []string{"renamed"}}); err != nil {
		t.Fatal(err)
	}
	<-leased
	<-network.Leased(guest.mac)
	f := forwardUDP(t, network, netip.AddrPortFrom(ip(5), 7))
	send(t, client(t, f.Local()), []byte("hello"))
	if got := guest.next(7, soon); string(got) != "hello" {
		t.Errorf("it hears %q", got)
	}
	if err := network.AddGuest(usernet.Guest{MAC: guest.mac, IP: ip(6)}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-network.Leased(guest.mac):
		t.Error("a guest has its new address without having asked")
	default:
	}
}

// TestCableOutOfTheSwitch pulls a cable and plugs it in again.
func TestCableOutOfTheSwitch(t *testing.T) {
	network := newNetwork(t, usernet.Options{})
	c, err := network.Cable()
	if err != nil {
		t.Fatal(err)
	}
	guest := joinBy(t, c.File, 5)
	if err := network.AddGuest(usernet.Guest{MAC: guest.mac, IP: ip(5)}); err != nil {
		t.Fatal(err)
	}
	c.Plug(false)
	if got := guest.dhcp(never, discover()); got != nil {
		t.Errorf("over a cable that hangs loose comes %v", got)
	}
	c.Plug(true)
	if guest.dhcp(soon, discover()) == nil {
		t.Error("over a cable that is plugged in again comes nothing")
	}
	select {
	case <-c.Gone():
		t.Error("the guest's end is gone")
	default:
	}
	_ = guest.cable.Close()
	limit := time.NewTimer(soon)
	defer limit.Stop()
	select {
	case <-c.Gone():
	case <-limit.C:
		t.Error("the guest's end is not gone")
	}
}

// TestSwitchAlone has two guests talk over a network without a gateway.
func TestSwitchAlone(t *testing.T) {
	network, err := usernet.New(usernet.Options{Name: "switch"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = network.Close() }()
	var both []*station
	for last := byte(5); last < 7; last++ {
		c, err := network.Cable()
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, joinBy(t, c.File, last))
	}
	if got := both[0].dhcp(never, discover()); got != nil {
		t.Errorf("a switch gives an address: %v", got)
	}
	both[1].udp(everybody, netip.AddrPortFrom(ip(6), 1), netip.AddrPortFrom(ip(5), 9), []byte("a"))
	if got := both[0].next(9, soon); string(got) != "a" {
		t.Errorf("one hears %q", got)
	}
	both[0].udp(both[1].mac, netip.AddrPortFrom(ip(5), 9), netip.AddrPortFrom(ip(6), 1), []byte("b"))
	if got := both[1].next(1, soon); string(got) != "b" {
		t.Errorf("the other hears %q", got)
	}
	if _, err := network.Forward(netip.MustParseAddrPort("127.0.0.1:0"),
		netip.AddrPortFrom(ip(5), 80)); err == nil {
		t.Error("a switch alone has a forward")
	}
}
