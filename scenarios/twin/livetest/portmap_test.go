package livetest_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// unserved is a port that this device cannot map.
const unserved = 5999

// mapping is the bundled application with more ports mapped.
func mapping(more ...fleet.Rule) *fleet.Draft {
	rules := append([]fleet.Rule{fleet.AllowAll(), fleet.MapPort("tcp", 8080, guest.DemoPort),
		fleet.MapPort("udp", 5353, guest.DemoPort)}, more...)
	return twin.QuickPolls(fleet.NewDraft(name)).MgmtPort("eth0", 0).MgmtPort("eth1", 1).
		Registry("registry", twin.Registry).
		Image(fleet.Image{Name: "web", Store: "registry", URL: "web:1"}).
		Volume(fleet.Volume{Name: "web", Image: "web"}).
		LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"}).
		App(fleet.App{Name: "web", MemoryKB: 128 << 10, Volumes: []string{"web"},
			Interfaces: []fleet.Interface{{Network: "lan", Rules: rules}}})
}

// TestPortMapsOverUDP maps a port over UDP beside one over TCP, and then one that the device cannot
// serve: the application's status says so, and the others go on.
func TestPortMapsOverUDP(t *testing.T) {
	at := make(chan netip.AddrPort, 10)
	b := newBench(t, func(o *twin.LiveOptions) {
		tcp := o.OnForward
		o.OnForward = func(app, proto string, port uint16, to netip.AddrPort) {
			tcp(app, proto, port, to)
			if proto == "udp" {
				at <- to
			}
		}
		o.Equip = func(x *board.Board) {
			change := x.Bridge.Changed
			x.Bridge.Changed = func(item string, s *bridge.Spec) error {
				if s != nil && s.Vif != nil {
					for _, m := range s.Vif.PortMaps {
						if m.Port == unserved {
							return errors.New("map tcp port 5999: there is no such wire")
						}
					}
				}
				return change(item, s)
			}
		}
	})
	b.draft = mapping()
	if err := b.PublishDemo(t.Context(), "web", "1"); err != nil {
		t.Fatal(err)
	}
	b.config()
	b.Start()
	id := b.answers()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(<-at))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	echoed(t, conn, id)
	b.draft = mapping(fleet.MapPort("tcp", unserved, 80))
	b.config()
	b.until("the status says what cannot be mapped", func(k *host.Kernel) bool {
		a := twin.Row(k, app.Statuses, b.draft.AppID("web"))
		return a != nil && strings.Contains(a.Error, "map tcp port 5999: there is no such wire")
	})
	echoed(t, conn, id)
}

// echoed wants the guest's boot id before what it was sent.
func echoed(t *testing.T, conn net.Conn, id string) {
	t.Helper()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	got := make([]byte, 100)
	if n, err := conn.Read(got); err != nil || string(got[:n]) != id+" hello" {
		t.Errorf("over UDP the guest says %q, %v, want %q", got[:n], err, id+" hello")
	}
}
