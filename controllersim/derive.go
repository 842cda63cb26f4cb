package controllersim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// DeriveKey is the P-256 key that belongs to a label under a seed. The scalar is a digest; the
// counter steps over the few digests that are not below the order of the curve.
func DeriveKey(seed []byte, label string) *ecdsa.PrivateKey {
	for n := uint32(0); ; n++ {
		h := sha256.New()
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(seed))))
		h.Write(seed)
		h.Write(binary.BigEndian.AppendUint32(nil, n))
		h.Write([]byte("evetwin key " + label))
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), h.Sum(nil)); err == nil {
			return key
		} else if n > 100 {
			panic(fmt.Sprintf("controllersim: no scalar for key %s: %v", label, err))
		}
	}
}
