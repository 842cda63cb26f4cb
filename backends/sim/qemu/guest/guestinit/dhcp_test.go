package main

import (
	"encoding/binary"
	"net"
	"testing"
)

// answerTo builds what a server would answer to a message of ours.
func answerTo(message []byte, options ...byte) []byte {
	p := append([]byte(nil), message[:ipHeader+udpHeader+dhcpHeader]...)
	binary.BigEndian.PutUint16(p[ipHeader:], serverPort)
	binary.BigEndian.PutUint16(p[ipHeader+2:], clientPort)
	dhcp := p[ipHeader+udpHeader:]
	dhcp[0] = 2
	copy(dhcp[16:], []byte{10, 1, 0, 5})
	return append(p, options...)
}

func TestParseAnswer(t *testing.T) {
	c := client{mac: net.HardwareAddr{2, 0, 0, 0, 0, 5}, id: 42}
	options := []byte{optType, 1, ack, 0, optMask, 4, 255, 255, 255, 0, optRouter, 4, 10, 1, 0, 1,
		optDNS, 8, 10, 1, 0, 1, 10, 1, 0, 2, optDomain, 3, 'a', '.', 'b', optMTU, 2, 5, 120,
		optLifetime, 4, 0, 0, 1, 0, optServer, 4, 10, 1, 0, 1, optEnd}
	answer := answerTo(c.message(discover, lease{}), options...)
	got, kind := parse(answer, 42)
	if kind != ack || got.address.String() != "10.1.0.5" || got.mask.String() != "255.255.255.0" ||
		got.router.String() != "10.1.0.1" || len(got.dns) != 2 || got.domain != "a.b" ||
		got.mtu != 1400 || got.lifetime.Seconds() != 256 || got.server.String() != "10.1.0.1" {
		t.Errorf("answer %d is read as %+v", kind, got)
	}
	if _, kind := parse(answer, 43); kind != 0 {
		t.Error("an answer to another client is ours")
	}
	if _, kind := parse(c.message(discover, lease{}), 42); kind != 0 {
		t.Error("our own message is an answer")
	}
	whole := ipHeader + udpHeader + dhcpHeader + 3
	for cut := range whole {
		if _, kind := parse(answer[:cut], 42); kind != 0 {
			t.Errorf("the first %d bytes are an answer", cut)
		}
	}
}

func TestHeaderChecksum(t *testing.T) {
	c := client{mac: net.HardwareAddr{2, 0, 0, 0, 0, 5}, id: 42}
	if sum := checksum(c.message(discover, lease{})[:ipHeader]); sum != 0 {
		t.Errorf("a header with its checksum sums up to %#x, want 0", sum)
	}
}
