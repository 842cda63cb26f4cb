// Package watch tells of changes in folders, by inotify.
//
// A change of a name in a watched folder is told by folder and name: it was made, removed, renamed,
// or closed by somebody who had it open for writing. What it is now the listener looks up itself:
// when it does, later changes may have happened, and are told again.
package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// mask is what is told of a folder.
const mask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_CLOSE_WRITE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR |
	unix.IN_EXCL_UNLINK

// Listener is told of changes, on the watcher's goroutine.
type Listener interface {
	// Changed: something happened to a name in a folder. An empty name is the folder itself, which
	// is not watched any more.
	Changed(dir, name string)
	// Lost: more happened than the kernel could queue; look at everything.
	Lost()
}

// Watcher watches folders. Its methods may be called from any goroutine.
type Watcher struct {
	file *os.File
	l    Listener
	done chan struct{}

	mu   sync.Mutex
	dirs map[int32]string
}

// New starts a watcher of no folders.
func New(l Listener) (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch folders: %w", err)
	}
	w := &Watcher{file: os.NewFile(uintptr(fd), "inotify"), l: l, done: make(chan struct{}),
		dirs: map[int32]string{}}
	go w.run()
	return w, nil
}

// Add watches a folder, too; again is as good as once.
func (w *Watcher) Add(dir string) error {
	raw, err := w.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var wd int
	var fault error
	err = raw.Control(func(fd uintptr) { wd, fault = unix.InotifyAddWatch(int(fd), dir, mask) })
	if err = errors.Join(err, fault); err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	w.dirs[int32(wd)] = dir
	return nil
}

// Close ends the watching. When it returns, nothing is told any more. The listener must not call
// it, nor hold what somebody holds who does.
func (w *Watcher) Close() error {
	err := w.file.Close()
	<-w.done
	return err
}

// run reads events until the watcher is closed.
func (w *Watcher) run() {
	defer close(w.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return // os.ErrClosed; inotify knows no other
		}
		w.tell(buf[:n])
	}
}

// tell hands events on.
func (w *Watcher) tell(buf []byte) {
	for len(buf) >= unix.SizeofInotifyEvent {
		wd := int32(binary.NativeEndian.Uint32(buf))
		what := binary.NativeEndian.Uint32(buf[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[12:]))
		name := string(bytes.TrimRight(buf[unix.SizeofInotifyEvent:end], "\x00"))
		buf = buf[end:]
		if what&unix.IN_Q_OVERFLOW != 0 {
			w.l.Lost()
			continue
		}
		w.mu.Lock()
		dir, known := w.dirs[wd]
		if what&unix.IN_IGNORED != 0 {
			delete(w.dirs, wd)
		}
		w.mu.Unlock()
		if known && (name != "" || what&unix.IN_IGNORED != 0) {
			w.l.Changed(dir, name)
		}
	}
}
