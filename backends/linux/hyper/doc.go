// Package hyper is the part hyper of a real Linux: guests in QEMU, through libvirt or without.
//
//	ops ──▶ change, one at a time ──▶ engine: libvirtd, or vmm ──▶ QEMU, one process per guest
//	the engine's events, and the end of each change ──▶ look ──▶ DomainSeen
//	console of a guest ──▶ Options.Console        sysfs ──▶ AdapterSeen
//
// A row is never what was meant but what the engine tells, put together with a note that it keeps
// for us: its spec, how often and when it was started, whether it was asked to stop and how it
// ended. With libvirt that stands in the domain's description, without in a file. So a new process
// finds all it needs, adopts what runs and makes nothing twice. Guests run on when this process or
// the daemon ends, in order or not. A daemon that ended is started again; meanwhile HostSeen says
// so, and ops wait.
//
// The description of a domain is complete only from its first start on, because what a guest boots
// from is made for each start; see Options.Boot.
package hyper
