package netpart

import (
	"errors"
	"fmt"
	"sync"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// Watcher tells when something has changed: links, addresses, routes, rules, and what it was added.
// What has changed, a look sees.
type Watcher struct {
	space string
	rung  chan struct{}
	close []func()
	ears  sync.WaitGroup
}

// Watch starts to watch a namespace.
func Watch(space string) (*Watcher, error) {
	w := &Watcher{space: space, rung: make(chan struct{}, 1)}
	return w, w.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR,
		unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
		unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)
}

// Subscribe rings with each message of groups of netlink, too.
func (w *Watcher) Subscribe(protocol int, groups ...uint) error {
	var s *nl.NetlinkSocket
	err := netspace.Do(w.space, func() (err error) {
		s, err = nl.Subscribe(protocol, groups...)
		return err
	})
	if err != nil {
		return fmt.Errorf("watch the network of namespace %q: %w", w.space, err)
	}
	w.Add(s.Close, func() { w.hear(s) })
	return nil
}

// Add has another ear hear, on a goroutine of its own, until it is closed.
func (w *Watcher) Add(closeEar, hear func()) {
	w.close = append(w.close, closeEar)
	w.ears.Go(hear)
}

// Ring has somebody look, soon.
func (w *Watcher) Ring() {
	select {
	case w.rung <- struct{}{}:
	default:
	}
}

// hear ends when the socket is closed. One that overflowed has lost events, which makes no
// difference to a look.
func (w *Watcher) hear(s *nl.NetlinkSocket) {
	for {
		_, _, err := s.Receive()
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		w.Ring()
	}
}

// Close ends the watch, and waits for its ears.
func (w *Watcher) Close() {
	for _, f := range w.close {
		f()
	}
	w.ears.Wait()
}
