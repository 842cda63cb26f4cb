// Package nic is the part nic of a real Linux: links, addresses, routes and rules through netlink,
// clients for DHCP and router advertisements, the file of the name service.
//
//	ops ──▶ items (specs) ─────┐
//	DHCP, RA ──▶ what was      ├─▶ settle: what should be there ──▶ netlink
//	            learned ───────┘        minus what the kernel has
//	netlink, inotify ──▶ look ──▶ one picture ──▶ LinkSeen, AddrSeen, ItemSeen
//
// All that changes the kernel happens one at a time under the lock of the machine, and ends with a
// look at the kernel: what is published is what was seen, never what was meant. Events cause a
// look, too; nothing is polled.
//
// An item is shown as long as all of it is in the kernel. What this part had put there and somebody
// else took away is not put back by itself: the item vanishes, and nim, who knows whether it is
// still wanted, sets it again. What was never there yet, because an address or a router has only
// just been learned, is added without asking.
//
// What the kernel cannot tell (specs, the lease, which addresses are ours) stands in a file on a
// file system that lives as long as the kernel's configuration does. It is written before the
// kernel is changed, so that after a crash at any point all that is there is known; a new process
// adopts what still holds. Routes and rules carry our protocol number and need no file.
package nic
