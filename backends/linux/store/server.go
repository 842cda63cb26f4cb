package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/store"
)

// setServer names another controller: on the partition that the device was installed on, then in
// the copy that runs, so that a device that loses its power between them has the new one.
func (x *session) setServer(_ context.Context, q *device.SetServerReq) (out device.None,
	f *agent.Fault,
) {
	const what = "set the server"
	if !device.IsServer(q.Server) {
		return out, refusal(device.FaultRefused, "%s: no host is called %q", what, q.Server)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.show(device.ServerFile)
	running := x.host(device.ServerFile)
	paths := []string{running}
	if x.o.ConfigFrom != "" {
		paths = []string{filepath.Join(x.o.ConfigFrom, filepath.Base(running)), running}
	}
	for _, path := range paths {
		err := x.o.Disk.Write(path, []byte(q.Server), 0o644)
		if errors.Is(err, unix.EROFS) {
			err = writable(filepath.Dir(path), func() error {
				return x.o.Disk.Write(path, []byte(q.Server), 0o644)
			})
		}
		if err != nil {
			return out, fault(what, err)
		}
	}
	return out, nil
}

// writable makes the file system of a folder writable while f runs.
func writable(dir string, f func() error) (err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("look at %s: %w", dir, os.NewSyscallError("statfs", err))
	}
	flags := uintptr(st.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := unix.Mount("", dir, "", flags|unix.MS_REMOUNT, ""); err != nil {
		return fmt.Errorf("make %s writable: %w", dir, os.NewSyscallError("mount", err))
	}
	defer func() {
		if e := unix.Mount("", dir, "", flags|unix.MS_REMOUNT|unix.MS_RDONLY, ""); e != nil {
			err = errors.Join(err, fmt.Errorf("make %s read-only again: %w", dir,
				os.NewSyscallError("mount", e)))
		}
	}()
	return f()
}
