// Package web is the part web on a real network: HTTP through a chosen port of a Linux machine.
//
// A socket is bound to the source address of the port; the rule "from ADDR" that the part nic has
// laid leads its packets to the routing table of the port. Nothing of this process's own network
// set-up counts: no /etc/resolv.conf or /etc/hosts, no proxy of its environment. Names are asked of
// the port's servers, from the same address.
//
// Each exchange has a connection of its own, which is closed when it ends, however it ends. TLS is
// judged by the clock of the device, which may be wrong. Sessions of TLS are resumed only by who
// trusts the same roots.
//
// Downloads go to a folder that the part store shares (package partial). A power cut costs at most
// what came since the last record; the next Fetch goes on from there, if the server says that the
// content is the same, by ETag or Last-Modified. What others do to the folder is heard by inotify.
//
// The network may be a namespace with a name. Trap: package net remembers numbers of interfaces by
// name for the whole process, whatever the namespace; zones of link-local addresses are therefore
// numbers here.
package web
