// Package qemu runs guests in QEMU: from a Spec to arguments, from a process to its monitor.
//
// A Spec describes a guest; Spec.Command turns it into a command line, which the direct backend
// on a real device uses too. Launch starts QEMU as a supervised child with the guest paused, so
// that its console is being read and its monitor followed before its first instruction. A VM is
// then resumed, asked for its state, shut down in good order or destroyed; all calls block and
// end with their context or a stated limit.
//
// Sockets between QEMU and us are inherited descriptors: there is no path to be too long, to
// race for or to leave behind. Specs for a QEMU that outlives us name paths instead.
//
//	         Launch         Resume            guest powers off, or Shutdown, or Destroy
//	(none) ─────────▶ paused ─────▶ running ─────────────────────────────▶ Done, End
//	                    ▲             │
//	                    └────Pause────┘
package qemu
