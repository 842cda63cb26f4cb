package eveapi

import "crypto/sha256"

// The two directions of the device API name certificates differently, and nothing in the messages
// tells which is meant:
//
//	device → controller   SHA-256 over the DER encoding of the device's certificate
//	controller → device   SHA-256 over the PEM text in ZCert.cert, exactly as stored there
//
// So a newline at the end of the controller's PEM file changes the name of its certificate. Both
// sides of it must hash the same bytes: never trim, never re-encode before calling
// ControllerCertHash.

// DeviceCertHash names a device or onboarding certificate in an envelope that a device sends:
// SHA-256 over the certificate's DER bytes, 32 bytes.
func DeviceCertHash(der []byte) []byte {
	h := sha256.Sum256(der)
	return h[:]
}

// ControllerCertHash names a controller certificate in an envelope that a controller sends: SHA-256
// over the PEM text exactly as it stands in the certificate list, with its newlines.
func ControllerCertHash(pemAsStored []byte) [32]byte {
	return sha256.Sum256(pemAsStored)
}
