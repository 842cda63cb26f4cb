// Package waitforaddr waits, after a boot, for the first usable address of a management port, and
// has the wall clock set where it cannot be trusted.
//
//	in   nim/DeviceNetworkStatus   addresses, time servers
//	     clock/ClockSeen           is the clock set, does it run without power
//	     boot/BootSeen             is this the first boot
//	out  waitforaddr/WaitForAddrStatus
//	ops  clock.Sync                set the clock from the network
//
//	waiting for an address ──address, or 5 min──▶ setting the clock ──set──▶ done
//	                                 │                 │   ▲ 10 s, doubling to 10 min
//	                                 │                 └───┘
//	                                 └──clock is trusted, not the first boot──▶ done
//
// Who must not begin before the time is right looks at clock/ClockSeen itself.
package waitforaddr
