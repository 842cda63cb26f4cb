// Package linux is the host "linux" of scenarios: a device of real parts on this machine.
//
//	outside (network namespace)                device (network namespace, folder)
//	  lan0, lan1: DHCP, DNS, time  ══ cables ══  eth0, eth1
//	  controller, over TLS                       zedbox: hub and agents, a process each
//	  registry, over TLS                         libvirtd, QEMU, dnsmasq, nftables
//	                                             swtpm, an image of a disk with a GPT
//
// The device is the program zedbox as it runs on real machines; only what it stands on is a lab, as
// the file of its --machine says. The host talks to it as anybody can: it reads rows from the files
// that the hub shows, kills processes, pulls cables. It needs root, and leaves nothing behind.
package linux
