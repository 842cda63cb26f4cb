package clock

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
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
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			for _, a := range answer(b[:n]) {
				if _, err := c.WriteToUDPAddrPort(a, from); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-ended
	})
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// reply is the answer of a server to a question, by whose clock it is now.
func reply(q []byte, now time.Time) []byte {
	p := make([]byte, packetSize)
	p[0], p[1] = 4<<3|modeServer, 2
	copy(p[atOriginate:], q[atTransmit:atTransmit+8])
	put(p[atReceive:], now)
	put(p[atTransmit:], now)
	return p
}

// put writes a time as NTP has it.
func put(b []byte, t time.Time) {
	d := t.Sub(epoch)
	binary.BigEndian.PutUint32(b, uint32(d/time.Second))
	binary.BigEndian.PutUint32(b[4:], uint32(uint64(d%time.Second)<<32/uint64(time.Second)))
}

// right is a server whose clock is ahead of ours.
func right(ahead time.Duration) func(q []byte) [][]byte {
	return func(q []byte) [][]byte { return [][]byte{reply(q, time.Now().Add(ahead))} }
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
