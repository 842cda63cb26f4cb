package nic

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netpart"
)

// watch starts to watch a namespace and, if it is not empty, the file of the name service.
func watch(space, file string) (*netpart.Watcher, error) {
	w, err := netpart.Watch(space)
	if err == nil && file != "" {
		err = watchFile(w, file)
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// watchFile watches the folder of a file: who replaces the file makes another one.
func watchFile(w *netpart.Watcher, file string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, filepath.Dir(file), unix.IN_CLOSE_WRITE|unix.IN_MOVED_TO|
			unix.IN_MOVED_FROM|unix.IN_DELETE|unix.IN_CREATE)
		if err != nil {
			err = errors.Join(err, unix.Close(fd))
		}
	}
	if err != nil {
		return fmt.Errorf("watch %s: %w", file, err)
	}
	f := os.NewFile(uintptr(fd), "inotify "+file)
	w.Add(func() { _ = f.Close() }, func() { hear(f, filepath.Base(file), w.Ring) })
	return nil
}

// hear rings when events of inotify name a file, and ends when they are closed.
func hear(events *os.File, name string, ring func()) {
	b := make([]byte, 64*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		n, err := events.Read(b)
		if err != nil {
			return
		}
		if concerns(b[:n], name) {
			ring()
		}
	}
}

// concerns reports whether events of inotify name a file.
func concerns(b []byte, name string) bool {
	for len(b) >= unix.SizeofInotifyEvent {
		size := int(uint32(b[12]) | uint32(b[13])<<8 | uint32(b[14])<<16 | uint32(b[15])<<24)
		end := min(unix.SizeofInotifyEvent+size, len(b))
		text := b[unix.SizeofInotifyEvent:end]
		if i := len(name); len(text) >= i && string(text[:i]) == name &&
			(len(text) == i || text[i] == 0) {
			return true
		}
		b = b[end:]
	}
	return false
}
