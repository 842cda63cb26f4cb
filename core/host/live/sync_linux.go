package live

import (
	"os"

	"golang.org/x/sys/unix"
)

// datasync makes what was written to f durable.
func datasync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
