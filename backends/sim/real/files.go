package real

import (
	"io/fs"

	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/disk"
)

// Files are the small files of a simulated disk, for a real part tpm that has a module: such a part
// uses them on the device's loop alone.
type Files struct{ Disk *disk.Disk }

var _ tpm.Files = Files{}

// Read returns the content of a file; fs.ErrNotExist if there is none.
func (f Files) Read(path string) ([]byte, error) {
	if x, ok := f.Disk.Files[path]; ok {
		return x.Data, nil
	}
	return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
}

// Write replaces a file, or makes it.
func (f Files) Write(path string, data []byte) error {
	f.Disk.Put(path, data)
	return nil
}
