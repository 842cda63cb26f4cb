// Package netspace runs code in network namespaces of Linux: sockets and netlink handles belong to
// the namespace of the thread that opens them, whoever uses them later.
//
// A namespace goes by its name under /run/netns, as `ip netns` lists it; the empty name is the
// namespace of the process.
package netspace
