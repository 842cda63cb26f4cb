package live

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// Squeeze leaves a device's journal only so many bytes; it asks for room again when retry says so.
// It must come before Run.
func (d *Device) Squeeze(free *atomic.Int64, retry <-chan time.Time) {
	d.journal.squeeze(free, retry)
}

func (j *journal) squeeze(free *atomic.Int64, retry <-chan time.Time) {
	j.append = func(f *os.File, b []byte) (int, error) {
		n := min(int(free.Load()), len(b)) // as much as fits gets there
		free.Add(-int64(n))
		if _, err := f.Write(b[:n]); err != nil || n == len(b) {
			return n, err
		}
		return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	j.retry = func() <-chan time.Time { return retry }
}
