package clock

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"
)

// Of a packet of NTP: its size, and where the times stand that matter here.
const (
	packetSize  = 48
	atOriginate = 24
	atReceive   = 32
	atTransmit  = 40
)

// Its first byte: leap indicator, version, mode.
const (
	request    = 4<<3 | 3 // version 4, client
	modeMask   = 7
	modeServer = 4
	leapAlarm  = 3
)

// epoch is what NTP counts from.
var epoch = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// query asks over a connection how far our clock is behind. The request carries a random number
// in the place of our time, which the answer must repeat.
func query(ctx context.Context, c net.Conn) (time.Duration, error) {
	if at, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(at); err != nil {
			return 0, err
		}
	}
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	out := make([]byte, packetSize)
	out[0] = request
	_, _ = rand.Read(out[atTransmit:]) // which never fails
	sent := time.Now()
	if _, err := c.Write(out); err != nil {
		return 0, err
	}
	for {
		in := make([]byte, 4*packetSize)
		n, err := c.Read(in)
		came := time.Now()
		if err != nil {
			return 0, err
		}
		if n < packetSize || string(in[atOriginate:atReceive]) != string(out[atTransmit:]) {
			continue // somebody else's
		}
		if err := usable(in); err != nil {
			return 0, err
		}
		received, transmitted := stamp(in[atReceive:], came), stamp(in[atTransmit:], came)
		// What the way there and the way back took is taken for equal.
		return (received.Sub(sent) + transmitted.Sub(came)) / 2, nil
	}
}

// errUnset says that a server does not know the time itself.
var errUnset = errors.New("the server does not know the time")

// usable refuses what is no answer of a server that knows the time.
func usable(p []byte) error {
	stratum := p[1]
	switch {
	case p[0]&modeMask != modeServer:
		return fmt.Errorf("the answer is of mode %d, not a server's", p[0]&modeMask)
	case stratum == 0: // "kiss of death": four letters tell why
		return fmt.Errorf("the server refuses: %q", p[12:16])
	case p[0]>>6 == leapAlarm, stratum > 15, binary.BigEndian.Uint64(p[atTransmit:]) == 0:
		return errUnset
	}
	return nil
}

// stamp is a time in a packet: seconds and parts of 2^32, which begin anew every 136 years; the one
// nearest to now is meant, or, for a clock that was never set, the first after 2000.
func stamp(b []byte, now time.Time) time.Time {
	seconds := time.Duration(binary.BigEndian.Uint32(b)) * time.Second
	parts := uint64(binary.BigEndian.Uint32(b[4:]))
	t := epoch.Add(seconds + time.Duration(parts*uint64(time.Second)>>32))
	const era = 1 << 32 * time.Second
	least := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for t.Before(least) || now.Sub(t) > era/2 {
		t = t.Add(era)
	}
	return t
}
