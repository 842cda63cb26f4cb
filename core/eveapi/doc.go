// Package eveapi speaks the EVE device API, version 2: the signed envelope around every body,
// the controller's certificate list, the messages of each exchange and the encryption of single
// objects.
//
// Everything here is a function from bytes and passed-in times to bytes. Nothing reads a clock,
// opens a file or draws a random number, so the device agents, the bundled controller and the
// tests share it.
//
// Signing is left to the caller, because a device signs with its TPM, which is a call that
// takes time:
//
//	payload := eveapi.ConfigRequestBody(hash, token)
//	digest := eveapi.Digest(payload)
//	// ... the TPM signs digest and yields r||s ...
//	body := eveapi.Seal(payload, rs, eveapi.DeviceCertHash(der), nil)
//
// Opening an answer needs the controller's certificates, parsed and validated once:
//
//	certs, err := eveapi.OpenControllerCerts(body, rootsPEM, now, eveapi.CertOptions{})
//	payload, fault := eveapi.Open(answer, certs.Trusted())
//
// One trap deserves its own file, certhash.go: a device is named by a hash of its certificate
// in DER, the controller by a hash of its certificate in PEM, byte by byte as it was stored.
//
// What goes in is bounded: MaxEnvelope bytes, MaxObjects messages inside a body, MaxDepth levels.
// A body beyond a bound is a Fault, never an allocation of its size times a hundred.
package eveapi
