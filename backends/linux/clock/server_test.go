package clock

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/evetwin/evetwin/backends/linux/clock/timeserver"
)

// datagrams answers each datagram that comes to an address of loopback with those that answer
// gives, until the test ends. Port 0 takes any.
func datagrams(t *testing.T, host string, port uint16, answer func(q []byte) [][]byte) uint16 {
	t.Helper()
	at := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), port))
	c, err := net.ListenUDP("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		timeserver.Serve(c, answer)
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-ended
	})
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// right is a server whose clock is ahead of ours.
func right(ahead time.Duration) func(q []byte) [][]byte {
	return func(q []byte) [][]byte { return [][]byte{timeserver.Answer(q, time.Now().Add(ahead))} }
}

// names is a name server that knows one name.
func names(t *testing.T, name, addr string) uint16 {
	t.Helper()
	return datagrams(t, "127.0.0.1", 0, func(q []byte) [][]byte {
		var m dnsmessage.Message
		if err := m.Unpack(q); err != nil || len(m.Questions) != 1 {
			t.Errorf("asked with %v: %v", m.Questions, err)
			return nil
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		asked := m.Questions[0]
		switch {
		case asked.Name.String() != name+".":
			m.RCode = dnsmessage.RCodeNameError
		case asked.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.AResource{A: netip.MustParseAddr(addr).As4()}}}
		}
		b, err := m.Pack()
		if err != nil {
			t.Error(err)
		}
		return [][]byte{b}
	})
}
