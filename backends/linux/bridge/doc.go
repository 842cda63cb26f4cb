// Package bridge is the part bridge of a real Linux: bridges, guests' interfaces and routes through
// netlink, access rules, translation and port maps through nftables, and a dnsmasq per bridge for
// addresses and names.
//
//	ops ──▶ items (specs) ──▶ netlink ───▶ bridge, ports, VIFs, tables and rules of routing
//	                      ├─▶ nftables ──▶ table bridge evetwin: two chains per VIF, stateless
//	                      │                table inet evetwin: translation, replaced as a whole
//	                      └─▶ dnsmasq ───▶ DHCP, DNS; fills the sets of rules by domain name
//	netlink, nftables, dnsmasq's end, what guests send ──▶ look ──▶ ItemSeen, VifSeen
//
// All that changes the kernel happens one at a time under the lock of the machine, and ends with a
// look at the kernel: what is published is what was seen, never what was meant. Events cause a
// look, too; nothing is polled.
//
// An access rule looks at each packet alone, in both directions, so that a change of rules counts
// for existing flows at once; it is checked where a packet enters or leaves a bridge by a guest's
// port, for IPv4 and IPv6, in local and in switch network instances alike. That needs neither
// conntrack in bridges nor br_netfilter, which many kernels lack, and what br_netfilter does where
// it is on makes no difference. Later fragments pass: nobody can put them together without the
// first, which is checked. A port map's flows are dropped from conntrack when the map goes.
//
// A rule by domain name matches the addresses that the dnsmasq of the guest's bridge resolved the
// name, or one below it, to in the last hour; it puts them into sets of nftables itself. Guests
// share these sets. A dnsmasq serves 6 ms after its start and takes 5 MB, most of it shared by all;
// hosts and names that came are read again in 10 ms, with all leases kept. When a reservation goes
// it is started anew without that lease, or the address could be given to nobody else.
//
// The flow log is read when it is collected, so that nobody listens between: connections from the
// kernel's table, where each stays 150 s longer than usual, so that it is found at rest; ends of
// what rules dropped from sets that the rules fill, because such packets never get as far as
// conntrack; names from the log of dnsmasq. The rule that admits a connection is found by its ends.
// What passes between two ports of a bridge is seen by conntrack only through br_netfilter: a
// kernel without it tells of what is dropped there, and not of what is admitted. What a guest is
// denied on its way around through a mapped port is not told.
//
// Packets carry three marks inside the device: from the device itself, forwarded to a guest for
// another one and admitted by its rules, and an answer to such a one.
//
// An item is shown as long as all of it is there. What somebody took away is not put back by
// itself: the item vanishes, and zedrouter sets it again. A dnsmasq that ended is started again
// here; its item is back when it serves. What only now became possible (a guest's interface
// appeared, a port got another address or gateway) is done without asking; routes come and go with
// the addresses of ports, so they are laid again whenever they miss.
//
// The metadata service has a socket for each bridge, bound to the bridge and to 169.254.169.254 on
// it: so it hears guests of that bridge and nobody else, and knows whose guest asks. What it says
// is worked out on the device's loop (backends/metadata); each offer stands in a file of its own.
//
// What the kernel cannot tell stands in a file on a file system that lives as long as the kernel's
// configuration does, written before the kernel is changed; a new process adopts what still holds,
// and touches no interface.
package bridge
