package vault

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// MinSecret is how many bytes a secret must have that a key is made of. A TPM draws as many.
const MinSecret = 32

// purpose keeps the key of a vault apart from all else that may be made of a secret.
const purpose = "evetwin vault"

// KeyOf makes the key of a vault of a secret, always the same.
func KeyOf(secret []byte) ([]byte, error) {
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("make a key of a secret: it has %d bytes, want %d", len(secret), MinSecret)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, purpose, KeySize)
	if err != nil {
		return nil, fmt.Errorf("make a key of a secret: %w", err)
	}
	return key, nil
}
