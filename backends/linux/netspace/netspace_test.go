package netspace_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/vishvananda/netns"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func create(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("evetwin-space-%d", os.Getpid())
	if err := netspace.Create(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 { // the second finds nothing, and that is well
			if err := netspace.Delete(name); err != nil {
				t.Error(err)
			}
		}
		if _, err := os.Stat(netspace.Path(name)); !os.IsNotExist(err) {
			t.Errorf("the namespace is still there: %v", err)
		}
	})
	return name
}

func TestWhatIsOpenedInsideStaysThere(t *testing.T) {
	name := create(t)
	var l net.Listener
	err := netspace.Do(name, func() (err error) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("a listener inside is reached from outside")
	}
	err = netspace.Do(name, func() error {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			err = c.Close()
		}
		return err
	})
	if err != nil {
		t.Errorf("a listener inside is not reached from inside: %v", err)
	}
	h, err := netspace.Handle(name)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	links, err := h.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range links {
		if x.Attrs().Name == "eth0" {
			t.Error("the handle sees the links of the process")
		}
	}
}

func TestThreadsComeBack(t *testing.T) {
	name := create(t)
	home, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if err := netspace.Do(name, func() error { return nil }); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			now, err := netns.Get()
			if err != nil {
				t.Error(err)
				return
			}
			defer now.Close()
			if !now.Equal(home) {
				t.Error("a thread was left in a namespace")
			}
		})
	}
	all.Wait()
}

func TestNamespaceTwiceOrNotThere(t *testing.T) {
	name := create(t)
	if err := netspace.Create(name); err == nil {
		t.Error("the same namespace is created twice")
	}
	if err := netspace.Do("evetwin-nowhere", func() error { return nil }); err == nil {
		t.Error("code ran in a namespace that is not there")
	}
	want := fmt.Errorf("an error of f")
	if err := netspace.Do(name, func() error { return want }); !errors.Is(err, want) {
		t.Errorf("error %v, want what f returned", err)
	}
}
