// Package child runs the programs evetwin cannot be without (QEMU, swtpm, dnsmasq, libvirtd)
// as supervised children.
//
// A child runs in the foreground and in a process group of its own, so that a Ctrl-C in the
// terminal reaches only evetwin, which then stops its children in the order it wants. It dies
// with its parent, whatever kills the parent: Linux sends it SIGKILL (PR_SET_PDEATHSIG). Its last
// words on stderr are part of the error that reports its end.
package child
