// Package timeserver answers who asks for the time by SNTP (RFC 4330), for labs and tests: right
// ones, and whatever else a server may say.
package timeserver

import (
	"encoding/binary"
	"errors"
	"net"
	"time"
)

// Size is that of a packet of NTP, in bytes.
const Size = 48

// Of an answer: version 4, a server's; it has its time from one that has a clock.
const (
	version4, server = 4 << 3, 4
	stratum          = 2
)

// Answer is what a server says by whose clock it is now. A question that is too short is nil.
func Answer(question []byte, now time.Time) []byte {
	if len(question) < Size {
		return nil
	}
	p := make([]byte, Size)
	p[0], p[1] = version4|server, stratum
	copy(p[24:32], question[40:48])
	Put(p[32:], now)
	Put(p[40:], now)
	return p
}

// Put writes a time as NTP has it: seconds since 1900, which begin anew every 136 years, and parts
// of 2^32.
func Put(b []byte, t time.Time) {
	const toUnix = 2_208_988_800
	binary.BigEndian.PutUint32(b, uint32(t.Unix()+toUnix))
	parts := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	binary.BigEndian.PutUint32(b[4:], uint32(parts))
}

// Serve answers each datagram with those that answer gives, until the connection closes. An answer
// that cannot be sent is lost, as datagrams are.
func Serve(c net.PacketConn, answer func(question []byte) [][]byte) {
	b := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		for _, a := range answer(b[:n]) {
			_, _ = c.WriteTo(a, from)
		}
	}
}
