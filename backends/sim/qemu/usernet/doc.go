// Package usernet is a network for guests that needs no root and no device of the host: frames
// travel over sockets between QEMU and a switch in this process, and behind the switch a TCP/IP
// stack in user space plays the gateway with DHCP, DNS and port forwards.
//
// One Network stands for one network instance; several guests may share it and reach each
// other. Addresses are given out by MAC address and to known guests only. Nothing leads outside:
// a guest reaches the gateway and its neighbours, and is reached through forwards that listen on
// the host, for TCP and UDP. There is no IPv6. Names that the network does not hold are asked of a
// resolver the owner may supply, never of the host's.
//
//	guest eth0 ── QEMU ──socket── switch ── gateway: DHCP :67, DNS :53 ── forwards on 127.0.0.1
//
// The switch and the link to the stack are gvisor-tap-vsock's, the stack is gVisor's. Services
// are ours, because a Network can be closed and then leaves nothing behind, no goroutine either.
package usernet
