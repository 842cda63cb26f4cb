package netlab

import (
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Answer answers TCP connections to an address of the namespace (":80") with a byte until stop is
// called; heard, unless nil, is told where each comes from.
func (s *Space) Answer(at string, heard func(from netip.AddrPort)) (stop func()) {
	s.t.Helper()
	var l net.Listener
	var err error
	s.Do(func() { l, err = net.Listen("tcp", at) })
	if err != nil {
		s.t.Error(err)
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if from, ok := c.RemoteAddr().(*net.TCPAddr); ok && heard != nil {
				heard(from.AddrPort())
			}
			_, _ = c.Write([]byte("x"))
			_ = c.Close()
		}
	}()
	return func() {
		_ = l.Close()
		<-done
	}
}

// Reachable waits until a link has a link-local address of IPv6 that can be used: the kernel gives
// it one some time after it got a carrier, and then looks for duplicates.
func (s *Space) Reachable(name string) {
	s.t.Helper()
	index := s.Find(name).Attrs().Index
	ns, err := netns.GetFromName(s.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	told, done := make(chan netlink.AddrUpdate), make(chan struct{})
	err = netlink.AddrSubscribeWithOptions(told, done, netlink.AddrSubscribeOptions{Namespace: &ns,
		ListExisting: true})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		close(done)
		for range told { // until it has ended
		}
	}()
	limit := time.NewTimer(starting)
	defer limit.Stop()
	for {
		select {
		case a := <-told:
			ip := a.LinkAddress.IP
			if a.NewAddr && a.LinkIndex == index && a.Flags&unix.IFA_F_TENTATIVE == 0 &&
				ip.To4() == nil && ip.IsLinkLocalUnicast() {
				return
			}
		case <-limit.C:
			s.t.Fatalf("%s has no link-local address after %v", name, starting)
		}
	}
}
