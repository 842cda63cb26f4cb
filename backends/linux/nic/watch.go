package nic

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// gather is how long after an event a look waits for those that come with it.
const gather = 2 * time.Millisecond

// watcher tells when something has changed: links, addresses, routes, rules, the file of the name
// service. What has changed, a look sees.
type watcher struct {
	rows  *nl.NetlinkSocket
	files *os.File
	rung  chan struct{}
	ended chan struct{}
}

// groups are those of rtnetlink that tell of changes.
func groups() []uint {
	return []uint{unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
		unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE,
		unix.RTNLGRP_IPV6_RULE}
}

// watch starts to watch a namespace and, if it is not empty, a file.
func watch(space, file string) (*watcher, error) {
	w := &watcher{rung: make(chan struct{}, 1), ended: make(chan struct{}, 2)}
	err := netspace.Do(space, func() (err error) {
		w.rows, err = nl.Subscribe(unix.NETLINK_ROUTE, groups()...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("watch the network of namespace %q: %w", space, err)
	}
	if file == "" {
		w.ended <- struct{}{}
	} else if err := w.watchFile(file); err != nil {
		w.rows.Close()
		return nil, err
	}
	go w.hearRows()
	return w, nil
}

// watchFile watches the folder of a file: who replaces the file makes another one.
func (w *watcher) watchFile(file string) error {
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
	w.files = os.NewFile(uintptr(fd), "inotify "+file)
	go w.hearFile(filepath.Base(file))
	return nil
}

func (w *watcher) ring() {
	select {
	case w.rung <- struct{}{}:
	default:
	}
}

// hearRows ends when the socket is closed. One that overflowed has lost events, which makes no
// difference to a look.
func (w *watcher) hearRows() {
	defer func() { w.ended <- struct{}{} }()
	for {
		_, _, err := w.rows.Receive()
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		w.ring()
	}
}

// hearFile ends when the file is closed.
func (w *watcher) hearFile(name string) {
	defer func() { w.ended <- struct{}{} }()
	b := make([]byte, 64*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		n, err := w.files.Read(b)
		if err != nil {
			return
		}
		if concerns(b[:n], name) {
			w.ring()
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

// close ends the watch.
func (w *watcher) close() {
	w.rows.Close()
	if w.files != nil {
		_ = w.files.Close()
	}
	<-w.ended
	<-w.ended
}
