// Package livetest tests a device in real time with its real parts: the key in the software TPM,
// what becomes of a device whose parts are killed, whose power is cut or whose network is gone.
package livetest
