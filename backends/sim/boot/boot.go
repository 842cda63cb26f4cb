// Package boot has the simulated parts boot, power, led, log and clock: what is small.
package boot

import (
	"time"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/led"
	"github.com/evetwin/evetwin/core/device/power"
	"github.com/evetwin/evetwin/core/host"
)

// Off is how long a reset takes until the operating system runs again.
const Off = 10 * time.Second

// Boot is the parts over a disk.
type Boot struct {
	Disk *disk.Disk
	// RTC says that the device has a clock that runs without power.
	RTC bool
	// Off is how long a reset takes; 0 means Off.
	Off time.Duration
	// NTP asks the network for the time: whether a server answered and how long it took. nil: the
	// time is always to be had.
	NTP func(servers []string) (bool, time.Duration)
	// Blinks is what the light does.
	Blinks int
	// Log is the spool of log lines.
	Log Spool
}

// Wire serves the ops of the parts and publishes how this boot came about.
func (b *Boot) Wire(k *host.Kernel, m host.Machine) {
	b.wireBoot(k)
	b.wirePower(k, m)
	b.wireLed(k)
	b.wireClock(k, m)
	b.Log.Wire(k)
}

func (b *Boot) wirePower(k *host.Kernel, m host.Machine) {
	host.Serve(k.Part("power"), power.Reset, func(c host.Run[power.Req, power.None]) {
		c.After(100*time.Millisecond, func() {
			off := b.Off
			if off == 0 {
				off = Off
			}
			if c.Req().Off {
				m.PowerOff()
			} else {
				m.Reboot(off)
			}
		})
	})
}

func (b *Boot) wireLed(k *host.Kernel) {
	pt := k.Part("led")
	light := bus.Publish(pt, led.Light)
	b.Blinks = 0
	light.Put(led.LedSeen{})
	light.Complete()
	host.Serve(pt, led.Blink, func(c host.Run[led.BlinkReq, led.None]) {
		c.After(time.Millisecond, func() {
			b.Blinks = c.Req().Blinks
			light.Put(led.LedSeen{Blinks: b.Blinks})
			c.Done(led.None{})
		})
	})
}

func (b *Boot) wireClock(k *host.Kernel, m host.Machine) {
	pt := k.Part("clock")
	seen := bus.Publish(pt, clock.Clock)
	if !b.RTC { // without a clock of its own the device wakes up in 1970
		m.SetClock(time.Unix(0, 0).Sub(m.TrueWall()))
	}
	seen.Put(clock.ClockSeen{RTC: b.RTC, Synced: b.RTC})
	seen.Complete()
	host.Serve(pt, clock.Sync, func(c host.Run[clock.SyncReq, clock.None]) {
		ok, took := true, c.Latency(200*time.Millisecond, 2*time.Second)
		if b.NTP != nil {
			ok, took = b.NTP(c.Req().Servers)
		}
		c.After(took, func() {
			if !ok {
				c.Fail(clock.FaultNoServer, "set the clock: no time server answers", true)
				return
			}
			m.SetClock(0)
			seen.Put(clock.ClockSeen{RTC: b.RTC, Synced: true})
			c.Done(clock.None{})
		})
	})
}
