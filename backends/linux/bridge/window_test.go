package bridge

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/linux/netpart/parttest"
	"github.com/evetwin/evetwin/backends/metadata"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// askers starts the machine anew, with a desk that says who it thinks is asking.
func (r *rig) askers(o Options) {
	r.t.Helper()
	r.Stop()
	r.Process = parttest.New(r.t, func(show func(*picture)) (*machine, error) {
		m, err := open(o, show)
		if err == nil {
			m.ask = func(_ context.Context, q metadata.Request) (metadata.Answer, bool) {
				return metadata.Answer{Code: 200, Body: []byte(q.Bridge + " " + q.From.String())},
					q.Path != "/never"
			}
		}
		return m, err
	})
	r.Start()
}

// fetch reads a document in a namespace, from an address of it; empty: none could be had.
func fetch(t *testing.T, s *netlab.Space, path, from string) string {
	t.Helper()
	d := net.Dialer{Timeout: 3 * time.Second}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
		d.Timeout = 300 * time.Millisecond
	}
	way := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context,
		network, addr string) (c net.Conn, err error) {
		s.Do(func() { c, err = d.DialContext(ctx, network, addr) })
		return c, err
	}}
	defer way.CloseIdleConnections()
	res, err := (&http.Client{Transport: way, Timeout: 20 * time.Second}).Get(
		"http://169.254.169.254" + path)
	if err != nil {
		return ""
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		t.Error(err)
	}
	return res.Status[:3] + " " + strings.TrimSpace(string(body))
}

// answers wants a guest to be answered so.
func answers(t *testing.T, g *netlab.Guest, path, want string) {
	t.Helper()
	if got := fetch(t, g.Space, path, ""); got != want {
		t.Errorf("%s is answered %q, want %q", path, got, want)
	}
}

func TestNET37_GuestsAreKnownByBridgeAndAddress(t *testing.T) {
	r := newRig(t)
	r.askers(r.o)
	r.local()
	r.set("bridge/bn2", device.Spec{Bridge: &device.BridgeSpec{MAC: "00:16:3e:01:02:02", MTU: 1500,
		Addr: netip.MustParsePrefix("10.2.0.1/24")}})
	other := vif(macB, "10.2.0.2", nil)
	other.Vif.Bridge = "bn2"
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", nil))
	r.set("vif/"+vifB, other)
	a, b := r.plug(vifA, macA, "10.1.0.2/24"), r.plug(vifB, macB, "10.2.0.2/24")
	b.Space.Run("ip", "route", "add", "169.254.169.254/32", "via", "10.2.0.1")
	answers(t, a, "/", "200 bn1 10.1.0.2")
	answers(t, b, "/", "200 bn2 10.2.0.2")
	a.Space.Run("ip", "addr", "add", "10.2.0.2/32", "dev", "eth0")
	if got := fetch(t, a.Space, "/", "10.2.0.2"); strings.Contains(got, "bn2") {
		t.Errorf("a guest of bn1 passes for one of bn2: %q", got)
	}

	// Some routers are no way; the service is on the link, too.
	a.Space.Run("ip", "route", "replace", "169.254.169.254/32", "dev", "eth0")
	answers(t, a, "/", "200 bn1 10.1.0.2")

	// Without the device's answer there is one of its own, in time.
	answers(t, a, "/never", "503 nobody is here")
	r.clear("vif/" + vifB)
	r.clear("bridge/bn2")
	answers(t, a, "/", "200 bn1 10.1.0.2")
}

func TestTheAddressOfTheServiceComesBack(t *testing.T) {
	r := newRig(t)
	r.askers(r.o)
	r.local()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", nil))
	a := r.plug(vifA, macA, "10.1.0.2/24")
	answers(t, a, "/", "200 bn1 10.1.0.2")

	ns, err := netns.GetFromName(r.dev.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	told, done := make(chan netlink.AddrUpdate, 8), make(chan struct{})
	err = netlink.AddrSubscribeWithOptions(told, done, netlink.AddrSubscribeOptions{Namespace: &ns})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		close(done)
		for range told { // until it has ended
		}
	}()
	r.dev.Run("ip", "addr", "del", "169.254.169.254/32", "dev", "bn1")
	limit := time.After(parttest.Patience)
	for back := false; !back; {
		select {
		case u := <-told:
			back = u.NewAddr && u.LinkAddress.IP.String() == "169.254.169.254"
		case <-limit:
			t.Fatal("the address does not come back")
		}
	}
	answers(t, a, "/", "200 bn1 10.1.0.2")

	// A process that ends leaves the address; the next one serves again.
	r.Stop()
	if got := fetch(t, a.Space, "/", ""); got != "" {
		t.Errorf("answered without a process: %q", got)
	}
	r.Start()
	answers(t, a, "/", "200 bn1 10.1.0.2")
}

func TestThePortOfTheServiceIsTaken(t *testing.T) {
	r := newRig(t)
	told := make(chan error, 100)
	o := r.o
	o.OnError = func(err error) { told <- err }
	r.askers(o)
	stop := r.dev.Answer(":80", nil)
	r.local()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", nil))
	a := r.plug(vifA, macA, "10.1.0.2/24")
	if err := <-told; !strings.Contains(err.Error(), "listen for guests of bn1") || len(told) > 0 {
		t.Errorf("told of %v and %d more", err, len(told))
	}
	stop()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", free())) // whatever happens next
	answers(t, a, "/", "200 bn1 10.1.0.2")
}

func TestNoGuestKeepsTheOthersOut(t *testing.T) {
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := crowd(inner, 2, 3)
	in := make(chan net.Conn)
	go func() {
		defer close(in)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			in <- c
		}
	}()
	dial := func(from string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp4", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	refused := func(who, from string) {
		t.Helper()
		if _, err := dial(from).Read(make([]byte, 1)); err == nil {
			t.Errorf("%s is let in", who)
		}
	}
	dial("127.0.0.2")
	one := <-in
	dial("127.0.0.2")
	<-in
	refused("a third connection of one", "127.0.0.2")
	dial("127.0.0.3")
	<-in
	refused("a fourth of all", "127.0.0.4")
	for range 2 { // leaving twice is leaving once
		_ = one.Close()
	}
	dial("127.0.0.4")
	<-in
	refused("a fourth of all", "127.0.0.5")
	if err := inner.Close(); err != nil {
		t.Error(err)
	}
	<-in
}
