package tpmkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"math/big"
)

// Agree multiplies a peer's point on P-256, in its uncompressed form, with a private key.
func Agree(k *ecdsa.PrivateKey, peer []byte) (x, y [32]byte, err error) {
	d, err := k.Bytes()
	if err == nil {
		_, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), peer) // it is on the curve
	}
	if err != nil {
		return x, y, fmt.Errorf("agree on a secret: %w", err)
	}
	px, py := new(big.Int).SetBytes(peer[1:33]), new(big.Int).SetBytes(peer[33:])
	// Package ecdh gives x alone, and EVE's key for its escrow is made of both.
	zx, zy := elliptic.P256().ScalarMult(px, py, d) //nolint:staticcheck // see above
	zx.FillBytes(x[:])
	zy.FillBytes(y[:])
	return x, y, nil
}
