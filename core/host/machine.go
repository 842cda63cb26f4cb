package host

import "time"

// Machine is what a device part may do to the whole device, and a clock that outlives boots.
type Machine interface {
	// Reboot cuts the power at the end of this instant and boots again after off.
	Reboot(off time.Duration)
	// PowerOff cuts the power at the end of this instant.
	PowerOff()
	// Time is monotonic over boots: the time of the world in virtual time.
	Time() time.Duration
	// TrueWall is the wall clock of the world, which the device's own may differ from.
	TrueWall() time.Time
	// SetClock makes the device's wall clock right, or wrong by skew.
	SetClock(skew time.Duration)
}

// Hardware is the machine below the agents: simulated, real, or both. It keeps what outlives a
// boot.
type Hardware interface {
	// Wire declares the parts of a boot: their topics, what they see now, the ops they serve.
	Wire(k *Kernel, m Machine)
	// Cut tells that the power has gone: what is volatile is lost. Draw gives random numbers for
	// this cut, one per key.
	Cut(draw func(key string) uint64)
}
