// Package lab finds and sets up the real parts a laptop twin uses: QEMU, swtpm, libvirt, a guest
// kernel, network namespaces.
//
// Setup installs what Debian packages are missing and fetches the guest kernel into a cache; with
// neither root nor sudo it says which one command a user must run. Probe finds out what works by
// using it, never by looking: a /dev/kvm that can be opened proves nothing, a guest that has
// booted does. Each part that is missing costs something, and the result says what.
//
// Everything evetwin keeps lies in two folders, see DefaultDirs, and the sockets of one run in a
// third that is removed at its end, see NewSocketDir.
package lab
