package board

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
)

// keySize is the size of the key of references.
const keySize = 32

// secretKey is the key under which references of secrets are made: of this device alone, and the
// same in all its boots. One that is spoilt is made anew, whereupon references change once.
func secretKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, "references.key")
	key, err := os.ReadFile(path)
	if err == nil && len(key) == keySize {
		return key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the key of references: %w", err)
	}
	key = make([]byte, keySize)
	_, _ = rand.Read(key) // which never fails
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep the key of references: %w", err)
	}
	var d durable.Disk
	if err := d.Write(path, key, 0o600); err != nil {
		return nil, fmt.Errorf("keep the key of references: %w", err)
	}
	return key, nil
}
