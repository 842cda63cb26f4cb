package world

import (
	"math"
	"time"
)

// walk is an exchange under way: how long it took so far, and the chance it draws.
type walk struct {
	w    *World
	now  time.Time
	p    *port // cable of the device; nil: between endpoints
	flow string
	n    uint64 // draws so far
	t    time.Duration
}

// draw is the next chance of this flow on this cable at this instant.
func (k *walk) draw() uint64 {
	k.n++
	return k.w.o.Draw(k.p.key+k.flow, uint64(k.now.UnixNano())<<8|k.n&0xff)
}

// trip is one round trip of a small packet. Lost packets are sent again after one second, two,
// four and so on. False: the limit came first, and is what the walk took.
func (k *walk) trip(base, limit time.Duration) bool {
	for wait := time.Second; ; wait *= 2 {
		if !k.lost() {
			k.t += base + k.delay() + k.delay()
			break
		}
		if k.t += wait; k.t >= limit {
			break
		}
	}
	if k.t >= limit {
		k.t = limit
		return false
	}
	return true
}

// lost tells whether a packet or its answer does not come through.
func (k *walk) lost() bool {
	if k.p == nil || k.p.Traffic.Loss == 0 && k.p.Traffic.Corrupt == 0 {
		return false
	}
	for range 2 {
		if k.draw()%100 < uint64(k.p.Traffic.Loss) || k.draw()%100 < uint64(k.p.Traffic.Corrupt) {
			return true
		}
	}
	return false
}

// delay is what the cable adds to one packet.
func (k *walk) delay() time.Duration {
	if k.p == nil {
		return 0
	}
	d := time.Duration(k.p.Traffic.Delay) * time.Millisecond
	if j := time.Duration(k.p.Traffic.Jitter) * time.Millisecond; j > 0 {
		d += time.Duration(k.draw()%uint64(2*j+1)) - j
	}
	return max(d, 0)
}

// lineRate is the speed of a cable without a limit, in bytes per second: one gigabit.
const lineRate = 125_000_000

// rate is the speed of a long transfer over the cable. With loss it is what TCP makes of it:
// MSS / round trip * 1.22 / sqrt(loss).
func (k *walk) rate(base time.Duration) int64 {
	if k.p == nil {
		return lineRate
	}
	t := &k.p.Traffic
	rate := int64(lineRate)
	if t.Rate > 0 {
		rate = min(rate, int64(t.Rate)*1000)
	}
	loss := min(100, uint64(t.Loss)+uint64(t.Corrupt))
	if loss == 0 {
		return rate
	}
	rtt := base + 2*time.Duration(t.Delay)*time.Millisecond
	fair := 1448 * 1.22 / rtt.Seconds() / math.Sqrt(float64(loss)/100)
	return max(min(rate, int64(fair)), 1000)
}

// transfer is the time that size bytes take beyond their round trip. A burst is free.
func (k *walk) transfer(size, rate int64) time.Duration {
	if k.p != nil && k.p.Traffic.Rate > 0 {
		size = max(0, size-int64(k.p.Traffic.Burst)*1000)
	}
	return span(size, rate)
}

// span is the time of size bytes at a rate, without overflow: at most some hundred years.
func span(size, rate int64) time.Duration {
	sec := min(size/rate, 1<<32)
	return time.Duration(sec)*time.Second +
		time.Duration(size%rate)*time.Second/time.Duration(rate)
}

// fail adds the time it took to learn of an error: none where the device knows by itself, a
// round trip for an answer, all of the patience where nothing comes.
func (k *walk) fail(err *Error, trip, limit time.Duration) *Error {
	switch err.Code {
	case NoCarrier, NoRoute, NoDNS:
	case Timeout, DNSTimeout:
		k.t = max(k.t, limit)
	default:
		if trip == arpPatience {
			k.t = min(k.t+trip, limit)
		} else if !k.trip(trip, limit) {
			return &Error{Timeout, err.Op, err.To, err.Why}
		}
	}
	return err
}
