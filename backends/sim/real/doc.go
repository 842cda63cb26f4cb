// Package real has the device parts of real time for a simulated device: guests in QEMU behind the
// part hyper, a software TPM behind the part tpm, and HTTP exchanges that are carried out.
// Everything else of the device stays a model.
package real
