package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// leaseWait is how long the start waits for a first lease; the clients go on after that.
const leaseWait = 5 * time.Second

// bringUpNetwork sets up the loopback and gives every Ethernet interface an address by DHCP. The
// first interface with a lease brings the default route and the resolver.
func bringUpNetwork() {
	if err := linkUp("lo"); err != nil {
		say("%v", err)
	}
	found, _ := filepath.Glob("/sys/class/net/eth*")
	var first sync.WaitGroup
	for i, path := range found {
		name := filepath.Base(path)
		if err := linkUp(name); err != nil {
			say("%v", err)
			continue
		}
		first.Add(1)
		go keepLease(name, i == 0, sync.OnceFunc(first.Done))
	}
	leased := make(chan struct{})
	go func() { first.Wait(); close(leased) }()
	select {
	case <-leased:
	case <-time.After(leaseWait):
		say("no lease yet, going on without")
	}
}

// keepLease gets a lease, calls leased, and renews it for as long as the guest lives.
func keepLease(name string, main bool, leased func()) {
	for {
		got, err := acquire(name)
		if err != nil {
			say("%s: %v", name, err)
			time.Sleep(time.Second)
			continue
		}
		if err := got.apply(name, main); err != nil {
			say("%s: %v", name, err)
		}
		leased()
		time.Sleep(got.lifetime / 2)
	}
}

// apply sets what a lease says.
func (l lease) apply(name string, main bool) error {
	if err := setAddress(name, syscall.SIOCSIFADDR, l.address); err != nil {
		return fmt.Errorf("set address %v: %w", l.address, err)
	}
	if err := setAddress(name, syscall.SIOCSIFNETMASK, l.mask); err != nil {
		return fmt.Errorf("set mask %v: %w", l.mask, err)
	}
	if l.mtu > 0 {
		if err := setMTU(name, l.mtu); err != nil {
			return fmt.Errorf("set MTU %d: %w", l.mtu, err)
		}
	}
	if !main {
		return nil
	}
	if l.router.IsValid() {
		if err := addDefaultRoute(name, l.router); err != nil && !errors.Is(err, syscall.EEXIST) {
			return fmt.Errorf("set default route %v: %w", l.router, err)
		}
	}
	return l.writeResolver()
}

func (l lease) writeResolver() error {
	var text strings.Builder
	if l.domain != "" {
		fmt.Fprintf(&text, "search %s\n", l.domain)
	}
	for _, server := range l.dns {
		fmt.Fprintf(&text, "nameserver %s\n", server)
	}
	if err := os.MkdirAll("/etc", 0o755); err != nil {
		return err
	}
	return os.WriteFile("/etc/resolv.conf", []byte(text.String()), 0o644)
}

func setHostname(name string) {
	if name == "" {
		return
	}
	if err := syscall.Sethostname([]byte(name)); err != nil {
		say("set host name %s: %v", name, err)
	}
	if err := os.MkdirAll("/etc", 0o755); err != nil {
		return
	}
	_ = os.WriteFile("/etc/hostname", []byte(name+"\n"), 0o644)
	if _, err := os.Stat("/etc/hosts"); err != nil {
		text := "127.0.0.1 localhost\n127.0.1.1 " + name + "\n"
		_ = os.WriteFile("/etc/hosts", []byte(text), 0o644)
	}
}

// interfaceRequest is the kernel's struct ifreq.
type interfaceRequest struct {
	name [16]byte
	data [24]byte
}

// control asks the kernel something about an interface.
func control(request uintptr, r *interfaceRequest) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	return ioctl(uintptr(fd), request, uintptr(unsafe.Pointer(r)))
}

func linkUp(name string) error {
	r := interfaceRequest{}
	copy(r.name[:], name)
	if err := control(syscall.SIOCGIFFLAGS, &r); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	*(*uint16)(unsafe.Pointer(&r.data)) |= syscall.IFF_UP
	if err := control(syscall.SIOCSIFFLAGS, &r); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	return nil
}

func setAddress(name string, request uintptr, address netip.Addr) error {
	r := interfaceRequest{}
	copy(r.name[:], name)
	socketAddress(r.data[:16], address)
	return control(request, &r)
}

func setMTU(name string, mtu int) error {
	r := interfaceRequest{}
	copy(r.name[:], name)
	*(*int32)(unsafe.Pointer(&r.data)) = int32(mtu)
	return control(syscall.SIOCSIFMTU, &r)
}

// socketAddress writes a struct sockaddr_in.
func socketAddress(into []byte, address netip.Addr) {
	*(*uint16)(unsafe.Pointer(&into[0])) = syscall.AF_INET
	bytes := address.As4()
	copy(into[4:8], bytes[:])
}

// route is the kernel's struct rtentry.
type route struct {
	_                     uint64
	dst, gateway, genmask [16]byte
	flags                 uint16
	_                     int16
	_                     uint64
	_                     uintptr
	metric                int16
	device                *byte
	mtu, window           uint64
	irtt                  uint16
}

func addDefaultRoute(name string, router netip.Addr) error {
	device := append([]byte(name), 0)
	r := route{flags: syscall.RTF_UP | syscall.RTF_GATEWAY, device: &device[0]}
	any := netip.IPv4Unspecified()
	socketAddress(r.dst[:], any)
	socketAddress(r.genmask[:], any)
	socketAddress(r.gateway[:], router)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	err = ioctl(uintptr(fd), syscall.SIOCADDRT, uintptr(unsafe.Pointer(&r)))
	runtime.KeepAlive(device)
	return err
}
