package nic

import (
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"

	"github.com/evetwin/evetwin/backends/linux/netpart/parttest"
	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// server is a DHCP server whose leases are as short as a test wants.
type server struct {
	t *testing.T

	mu sync.Mutex
	// give is the address; answer says what becomes of a request: an acknowledgement, a refusal, or
	// 0 for silence.
	give string
	// lasting leases need no renewal in a test; others last 4 s, with T1 after 1 and T2 after 2.
	lasting bool
	answer  func(kind string) dhcpv4.MessageType
	// seen are the kinds of requests that came: "discover", "request", "renew" from the server's own
	// client by unicast, "rebind" to all, "decline".
	seen  []string
	class string
	bell  chan struct{}
}

// newServer starts a server on lan0.
func newServer(r *rig, give string, answer func(kind string) dhcpv4.MessageType) *server {
	s := &server{t: r.t, give: give, answer: answer, bell: make(chan struct{}, 1000)}
	var run *server4.Server
	err := netspace.Do(r.sdn.Name, func() (err error) {
		run, err = server4.NewServer("lan0", &net.UDPAddr{Port: dhcpv4.ServerPort}, s.handle)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = run.Serve() }()
	r.t.Cleanup(func() {
		_ = run.Close()
		<-ended
	})
	return s
}

// change changes how it answers.
func (s *server) change(give string, answer func(kind string) dhcpv4.MessageType) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.give, s.answer, s.seen = give, answer, nil
}

// kinds are the requests that came since the last change.
func (s *server) kinds() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// vendor is the vendor class of the last request.
func (s *server) vendor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.class
}

// until waits for a request of a kind.
func (s *server) until(kind string) {
	s.t.Helper()
	limit := time.NewTimer(parttest.Patience)
	defer limit.Stop()
	for !slices.Contains(s.kinds(), kind) {
		select {
		case <-s.bell:
		case <-limit.C:
			s.t.Fatalf("no %s came; came %q", kind, s.kinds())
		}
	}
}

// kindOf is the kind of a request.
func kindOf(peer net.Addr, q *dhcpv4.DHCPv4) string {
	switch {
	case q.MessageType() == dhcpv4.MessageTypeDiscover:
		return "discover"
	case q.MessageType() == dhcpv4.MessageTypeDecline:
		return "decline"
	case q.ClientIPAddr.IsUnspecified():
		return "request"
	case peer.(*net.UDPAddr).IP.Equal(q.ClientIPAddr):
		return "renew"
	}
	return "rebind"
}

// handle answers one request.
func (s *server) handle(conn net.PacketConn, peer net.Addr, q *dhcpv4.DHCPv4) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := kindOf(peer, q)
	s.seen = append(s.seen, kind)
	s.class = q.ClassIdentifier()
	s.bell <- struct{}{}
	if kind == "renew" && (q.Options.Has(dhcpv4.OptionServerIdentifier) ||
		q.Options.Has(dhcpv4.OptionRequestedIPAddress)) {
		s.t.Error("a renewal names the server or an address (RFC 2131, 4.3.2)")
	}
	with := s.answer(kind)
	if with == 0 {
		return
	}
	if kind == "discover" {
		with = dhcpv4.MessageTypeOffer
	}
	second := func(n byte) []byte { return []byte{0, 0, 0, n} }
	a, err := dhcpv4.NewReplyFromRequest(q, dhcpv4.WithMessageType(with),
		dhcpv4.WithYourIP(net.ParseIP(s.give)), dhcpv4.WithServerIP(net.IPv4(10, 99, 0, 1)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(10, 99, 0, 1))),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)), dhcpv4.WithRouter(net.IPv4(10, 99, 0, 1)),
		dhcpv4.WithLeaseTime(4), dhcpv4.WithGeneric(dhcpv4.OptionRenewTimeValue, second(1)),
		dhcpv4.WithGeneric(dhcpv4.OptionRebindingTimeValue, second(2)))
	if err != nil {
		s.t.Error(err)
		return
	}
	if s.lasting {
		a.UpdateOption(dhcpv4.OptIPAddressLeaseTime(time.Hour))
		a.DeleteOption(dhcpv4.OptionRenewTimeValue)
		a.DeleteOption(dhcpv4.OptionRebindingTimeValue)
	}
	to := &net.UDPAddr{IP: net.IPv4bcast, Port: dhcpv4.ClientPort}
	if kind == "renew" {
		to.IP = q.ClientIPAddr
	}
	if _, err := conn.WriteTo(a.ToBytes(), to); err != nil {
		s.t.Error(err)
	}
}

// always acknowledges all.
func always(string) dhcpv4.MessageType { return dhcpv4.MessageTypeAck }
