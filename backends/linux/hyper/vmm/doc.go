// Package vmm runs guests in QEMU processes that outlive us, without libvirt.
//
// All that is known of a guest stands in one file of a folder that a reboot of the machine is to
// forget: its description, a note of its owner, its process, and how its last run ended. The file
// is replaced as a whole, and always before what it tells of happens, so that a process that is
// killed at any moment leaves nothing behind that the next one would not find:
//
//	shell ──▶ waits for a word ──▶ file has its number and start ──▶ the word ──▶ becomes QEMU
//
// Without the word, because we are gone, the shell ends. A process is what it was only by its
// number and its start together, and is held by a descriptor, never by its number alone.
//
//	NAME.domain   what is known      NAME.log     what QEMU complains about
//	NAME.qmp      our monitor        NAME.shell   a monitor for whoever is at the device
//
// A guest that powers off while nobody listens waits in its QEMU until somebody does, so that how
// it ended is known.
package vmm
