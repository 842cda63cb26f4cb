package vault_test

import (
	"bytes"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/store/vault"
)

func TestKeysOfSecrets(t *testing.T) {
	made := map[string]bool{}
	for _, secret := range [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{1}, 33), key(1)} {
		k, err := vault.KeyOf(secret)
		again, err2 := vault.KeyOf(bytes.Clone(secret))
		if err != nil || err2 != nil || len(k) != vault.KeySize || !bytes.Equal(k, again) {
			t.Errorf("a key of %d bytes, %v, then %v", len(k), err, err2)
		}
		if made[string(k)] || bytes.Contains(k, secret[:16]) {
			t.Error("two secrets make one key, or it is one of them")
		}
		made[string(k)] = true
	}
	for _, short := range [][]byte{nil, bytes.Repeat([]byte{1}, vault.MinSecret-1)} {
		if _, err := vault.KeyOf(short); err == nil {
			t.Errorf("%d bytes make a key", len(short))
		}
	}
}
