// Package tpm talks to a TPM 2.0 that is named by a path: a device node such as /dev/tpmrm0, or
// the unix socket of a software TPM.
//
// Part is the device part tpm on such a TPM or, where there is none, with keys in files; the rest
// of the package is what it is made of, for a TPM without a device.
//
// It knows the places EVE uses: the device key is a P-256 key at a persistent handle and never
// leaves the TPM, the device certificate lies in an NV index. Commands are serialised, each has
// a deadline, and methods may be called from several goroutines.
package tpm
