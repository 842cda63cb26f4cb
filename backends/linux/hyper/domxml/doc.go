// Package domxml describes a guest to libvirt. The description is that of package qemu, which a
// QEMU without libvirt is started from, too, with what only a real machine has: adapters that are
// passed through, and a note of ours.
//
//	Domain ──Marshal──▶ domain XML (qemu, kvm, xen)
//	domain XML ──Note──▶ what the owner of the domain wrote into it
//
// The note travels in the metadata, so that whoever finds the domain knows what it was made of.
package domxml
