package bridge

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// gather is how long after an event a look waits for those that come with it.
const gather = 2 * time.Millisecond

// watcher tells when something has changed: links, addresses, routes, rules, nftables. What has
// changed, a look sees. It also hears what guests say about their addresses.
type watcher struct {
	rows, fence *nl.NetlinkSocket
	ear         *os.File
	rung        chan struct{}
	ended       chan struct{}
}

// groups are those of rtnetlink that tell of changes.
func groups() []uint {
	return []uint{unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
		unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE,
		unix.RTNLGRP_IPV6_RULE}
}

// watch starts to watch a namespace.
func watch(space string, learn func(heard)) (*watcher, error) {
	w := &watcher{rung: make(chan struct{}, 1), ended: make(chan struct{}, 3)}
	err := netspace.Do(space, func() (err error) {
		if w.rows, err = nl.Subscribe(unix.NETLINK_ROUTE, groups()...); err != nil {
			return err
		}
		w.fence, err = nl.Subscribe(unix.NETLINK_NETFILTER, unix.NFNLGRP_NFTABLES)
		if err == nil {
			w.ear, err = listen()
		}
		return err
	})
	if err != nil {
		for _, s := range []*nl.NetlinkSocket{w.rows, w.fence} {
			if s != nil {
				s.Close()
			}
		}
		return nil, fmt.Errorf("watch the network of namespace %q: %w", space, err)
	}
	go w.hear(w.rows)
	go w.hear(w.fence)
	go func() {
		defer func() { w.ended <- struct{}{} }()
		hear(w.ear, learn)
	}()
	return w, nil
}

func (w *watcher) ring() {
	select {
	case w.rung <- struct{}{}:
	default:
	}
}

// hear ends when the socket is closed. One that overflowed has lost events, which makes no
// difference to a look.
func (w *watcher) hear(s *nl.NetlinkSocket) {
	defer func() { w.ended <- struct{}{} }()
	for {
		_, _, err := s.Receive()
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		w.ring()
	}
}

// close ends the watch.
func (w *watcher) close() {
	w.rows.Close()
	w.fence.Close()
	_ = w.ear.Close()
	for range 3 {
		<-w.ended
	}
}
