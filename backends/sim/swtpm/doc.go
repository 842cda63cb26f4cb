// Package swtpm runs software TPMs: one that holds a simulated device's own keys, and ones that
// QEMU gives to guests.
//
// The program swtpm is a supervised child; a TPM's state lies in a folder and survives it. The
// TPM of a device is opened through backends/linux/tpm, the code that a real device uses, by the
// path of its socket. Should swtpm die while it is needed, it is started again on the same state:
// keys and NV indexes are there, PCRs are as after a reset.
package swtpm
