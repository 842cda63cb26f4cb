package netlab

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/linux/netspace"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

// Lab is the network of a test.
type Lab struct{ t testing.TB }

// New starts an empty network. It needs root.
func New(t testing.TB) *Lab {
	t.Helper()
	if os.Getuid() != 0 {
		labtest.Missing(t, "network namespaces need root")
	}
	return &Lab{t}
}

// Space is a network namespace.
type Space struct {
	// Name is the namespace's under /run/netns; it holds the name asked for.
	Name string
	// Link is a netlink handle in the namespace.
	Link *netlink.Handle
	t    testing.TB
}

// Space makes a namespace with its loopback up. IPv6 addresses in it are usable at once: duplicates
// are not looked for.
func (l *Lab) Space(name string) *Space {
	l.t.Helper()
	s := &Space{Name: fmt.Sprintf("evetwin-%s-%d-%s", name, os.Getpid(), rand.Text()[:6]), t: l.t}
	if err := netspace.Create(s.Name); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		if err := netspace.Delete(s.Name); err != nil {
			l.t.Error(err)
		}
	})
	var err error
	if s.Link, err = netspace.Handle(s.Name); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(s.Link.Close)
	s.Sysctl("net/ipv6/conf/default/accept_dad", "0")
	s.Sysctl("net/ipv6/conf/default/router_solicitation_delay", "0")
	return s
}

// Do runs f inside the namespace, on another goroutine: f must not end the test.
func (s *Space) Do(f func()) {
	s.t.Helper()
	if err := netspace.Do(s.Name, func() error { f(); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

// Sysctl sets a kernel setting of the namespace; name is its path under /proc/sys.
func (s *Space) Sysctl(name, value string) {
	s.t.Helper()
	err := netspace.Do(s.Name, func() error {
		return os.WriteFile("/proc/sys/"+name, []byte(value), 0o644)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Run runs a program inside the namespace and waits for it; one that fails ends the test.
func (s *Space) Run(program string, args ...string) {
	s.t.Helper()
	p, err := child.Start(s.Inside(child.Options{Name: program, Path: program, Args: args}))
	if err != nil {
		s.t.Fatal(err)
	}
	<-p.Done()
	if err := p.Err(); err != nil {
		s.t.Fatal(err)
	}
}

// Inside makes a child one that runs in the namespace; its process is the program itself.
func (s *Space) Inside(o child.Options) child.Options {
	o.Args = append([]string{"netns", "exec", s.Name, o.Path}, o.Args...)
	o.Path = "ip"
	return o
}

// Cable lays a cable between two namespaces. Its ends are network interfaces, down as after power
// on, with a carrier while the other end is up.
func (l *Lab) Cable(a *Space, aName string, b *Space, bName string) {
	l.t.Helper()
	far, err := netns.GetFromName(b.Name)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = aName
	err = a.Link.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: bName,
		PeerNamespace: netlink.NsFd(int(far))})
	if err != nil {
		l.t.Fatalf("lay a cable from %s to %s: %v", aName, bName, err)
	}
}

// Find is a link of the namespace; none ends the test.
func (s *Space) Find(name string) netlink.Link {
	s.t.Helper()
	x, err := s.Link.LinkByName(name)
	if err != nil {
		s.t.Fatalf("find %s in %s: %v", name, s.Name, err)
	}
	return x
}

// Up starts a link and gives it addresses ("10.99.0.1/24"); those it has are left as they are.
func (s *Space) Up(name string, addrs ...string) {
	s.t.Helper()
	x := s.Find(name)
	for _, text := range addrs {
		a, err := netlink.ParseAddr(text)
		if err == nil {
			err = s.Link.AddrReplace(x, a)
		}
		if err != nil {
			s.t.Fatalf("give %s the address %s: %v", name, text, err)
		}
	}
	if err := s.Link.LinkSetUp(x); err != nil {
		s.t.Fatalf("start %s: %v", name, err)
	}
}

// Down stops a link; the other end of its cable loses the carrier.
func (s *Space) Down(name string) {
	s.t.Helper()
	if err := s.Link.LinkSetDown(s.Find(name)); err != nil {
		s.t.Fatalf("stop %s: %v", name, err)
	}
}

// MAC sets the hardware address of a link.
func (s *Space) MAC(name, mac string) {
	s.t.Helper()
	hw, err := net.ParseMAC(mac)
	if err == nil {
		err = s.Link.LinkSetHardwareAddr(s.Find(name), hw)
	}
	if err != nil {
		s.t.Fatalf("give %s the address %s: %v", name, mac, err)
	}
}
