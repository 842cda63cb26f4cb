// Package clock is the part clock of a real Linux: the wall clock of the system, set by SNTP
// (RFC 4330) through the device's network.
//
//	Sync ──▶ each server in turn, from the device's namespace ──▶ offset ──▶ clock_settime
//
// Names of servers are asked of the name servers that the part nic has written down. A machine
// with a clock that runs without power (/dev/rtc0, or one of its hypervisor) is trusted from its
// boot on if the kernel set the system's clock by it. That a server has set the clock is noted for
// the boot of the kernel: a process that is started again shows it as set.
package clock
