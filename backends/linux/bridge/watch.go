package bridge

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netpart"
	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// watch starts to watch a namespace, nftables with it, and to listen to what guests say about their
// addresses.
func watch(space string, learn func(heard)) (*netpart.Watcher, error) {
	w, err := netpart.Watch(space)
	if err == nil {
		err = w.Subscribe(unix.NETLINK_NETFILTER, unix.NFNLGRP_NFTABLES)
	}
	var ear *os.File
	if err == nil {
		err = netspace.Do(space, func() (err error) { ear, err = listen(); return err })
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	w.Add(func() { _ = ear.Close() }, func() { hear(ear, learn) })
	return w, nil
}
