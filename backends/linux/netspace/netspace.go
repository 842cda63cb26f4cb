package netspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// dir is where namespaces with a name are mounted.
const dir = "/run/netns"

// Path is the file of a namespace.
func Path(name string) string {
	if name == "" {
		return "/proc/self/ns/net"
	}
	return filepath.Join(dir, name)
}

// Do runs f on an operating system thread inside a namespace and returns what f returns. What f
// opens stays in the namespace; goroutines that f starts do not.
func Do(name string, f func() error) error {
	if name == "" {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- inside(name, f) }()
	return <-done
}

// inside moves the thread there and back. A thread that cannot come back ends with its goroutine,
// because it stays locked to it.
func inside(name string, f func() error) error {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open the namespace of the process: %w", err)
	}
	defer func() { _ = home.Close() }()
	there, err := netns.GetFromPath(Path(name))
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open namespace %s: %w", name, err)
	}
	defer func() { _ = there.Close() }()
	if err := netns.Set(there); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter namespace %s: %w", name, err)
	}
	defer func() {
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return f()
}

// Handle opens a netlink handle inside a namespace; its owner closes it.
func Handle(name string) (*netlink.Handle, error) {
	var h *netlink.Handle
	err := Do(name, func() (err error) {
		h, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open netlink in namespace %q: %w", name, err)
	}
	return h, nil
}

// Create makes a namespace with its loopback up. One that exists is an error.
func Create(name string) error {
	if _, err := os.Stat(Path(name)); err == nil {
		return fmt.Errorf("create namespace %s: %w", name, os.ErrExist)
	}
	made := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		made <- create(name)
	}()
	if err := <-made; err != nil {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	h, err := Handle(name)
	if err != nil {
		return err
	}
	defer h.Close()
	lo, err := h.LinkByName("lo")
	if err == nil {
		err = h.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("start the loopback of namespace %s: %w", name, err)
	}
	return nil
}

// create makes the namespace on a locked thread and unlocks it when it is back home.
func create(name string) error {
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() { _ = home.Close() }()
	made, err := netns.NewNamed(name)
	if err == nil {
		err = made.Close()
	}
	if back := netns.Set(home); back != nil {
		return errors.Join(err, back)
	}
	runtime.UnlockOSThread()
	return err
}

// Delete removes a namespace, with all links in it once the last process has left it. One that is
// not there is a success.
func Delete(name string) error {
	err := netns.DeleteNamed(name)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("delete namespace %s: %w", name, err)
}
