package tpm

import (
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
)

// Where keys and certificates are in files, by the device's paths.
const (
	onboardCertFile = "/config/onboard.cert.pem"
	onboardKeyFile  = "/config/onboard.key.pem"
	deviceCertFile  = "/config/device.cert.pem"
	deviceKeyFile   = "/config/device.key.pem"
	certsDir        = "/persist/certs"
)

// Files are the device's small files.
type Files interface {
	// Read returns the content of a file; fs.ErrNotExist if there is none.
	Read(path string) ([]byte, error)
	// Write replaces a file, or makes it, durably; nobody but root can read it.
	Write(path string, data []byte) error
}

// Dir is files below a folder, "/" on a device. Disk is how they are written.
type Dir struct {
	Root string
	Disk durable.Disk
}

var _ Files = Dir{}

// Read returns the content of a file.
func (d Dir) Read(path string) ([]byte, error) { return os.ReadFile(filepath.Join(d.Root, path)) }

// Write replaces a file, durably.
func (d Dir) Write(path string, data []byte) error {
	path = filepath.Join(d.Root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return d.Disk.Write(path, data, 0o600)
}
