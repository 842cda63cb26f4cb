// Package e2e runs scenarios on real parts: a device in real time with a software TPM and QEMU
// guests, against the bundled controller over TLS. Its suite is driven by Ginkgo; "make e2e" runs
// it, and EVETWIN_SLICE=k/n runs every nth scenario, starting at the kth.
package e2e
