package bridge

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/linux/netpart/parttest"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the network of a device in a namespace, with nothing of the host around it. eth0 has the
// address 10.99.0.7/24 and leads to lan0 with 10.99.0.1/24, eth1 to lan1.
type rig struct {
	*parttest.Process[*machine, picture]
	t        *testing.T
	lab      *netlab.Lab
	dev, sdn *netlab.Space
	o        Options
	after    func(what string) error // for Options, may change
}

func newRig(t *testing.T) *rig {
	t.Cleanup(netlab.Untouched(t))
	labtest.Program(t, "dnsmasq")
	labtest.Program(t, "nft")
	l := netlab.New(t)
	r := &rig{t: t, lab: l, dev: l.Space("dev"), sdn: l.Space("sdn")}
	for _, n := range []string{"0", "1"} {
		l.Cable(r.dev, "eth"+n, r.sdn, "lan"+n)
	}
	r.dev.MAC("eth0", "02:00:00:00:99:00")
	r.sdn.MAC("lan0", "02:00:00:00:99:01")
	r.sdn.Up("lan0", "10.99.0.1/24")
	r.sdn.Up("lan1")
	r.dev.Up("eth0", "10.99.0.7/24")
	r.dev.Run("ip", "route", "add", "default", "via", "10.99.0.1")
	r.o = Options{Space: r.dev.Name, State: filepath.Join(t.TempDir(), "run"),
		OnError: func(err error) { t.Log("beside the ops:", err) }}
	r.o.after = func(what string) error {
		if r.after == nil {
			return nil
		}
		return r.after(what)
	}
	r.Process = parttest.New(t, func(show func(*picture)) (*machine, error) {
		return open(r.o, show)
	})
	r.Start()
	return r
}

// try sets an item.
func (r *rig) try(item string, s device.Spec) *agent.Fault {
	return r.M.Op(r.t.Context(), "set "+item, func() error { return r.M.set(item, s) })
}

// set sets an item and wants it shown.
func (r *rig) set(item string, s device.Spec) {
	r.t.Helper()
	if f := r.try(item, s); f != nil {
		r.t.Fatalf("%+v", *f)
	}
	r.Until(item, func(x *picture) bool { return x.has(item) })
}

// clear clears an item.
func (r *rig) clear(item string) {
	r.t.Helper()
	f := r.M.Op(r.t.Context(), "clear "+item, func() error { return r.M.clear(item) })
	if f != nil {
		r.t.Fatalf("%+v", *f)
	}
}

// has reports whether an item is shown.
func (x *picture) has(item string) bool {
	return slices.ContainsFunc(x.items, func(i device.ItemSeen) bool { return i.Item == item })
}

// attached reports whether an interface is.
func (x *picture) attached(vif string) bool {
	return slices.ContainsFunc(x.vifs, func(v device.VifSeen) bool {
		return v.Vif == vif && v.Attached
	})
}

// local sets a local network instance up: bridge bn1, translation through eth0, and, with hosts,
// its service.
func (r *rig) local(hosts ...device.Host) {
	r.t.Helper()
	at := netip.MustParseAddr
	subnet := netip.MustParsePrefix("10.1.0.0/24")
	r.set("bridge/bn1", device.Spec{Bridge: &device.BridgeSpec{MAC: bridgeMAC, MTU: 1500,
		Addr: netip.MustParsePrefix("10.1.0.1/24")}})
	r.set("nat/bn1", device.Spec{NAT: &device.NATSpec{Subnet: subnet, Out: []string{"eth0"},
		Table: 801, Via: "eth0"}})
	if len(hosts) > 0 {
		r.set("service/bn1", device.Spec{Service: &device.ServiceSpec{Subnet: subnet,
			Gateway: at("10.1.0.1"), Start: at("10.1.0.2"), End: at("10.1.0.100"),
			LeaseTime: time.Hour, Hosts: hosts, Domain: "apps.example",
			Upstream: []device.DNSServer{{Addr: at("10.99.0.1"), IfName: "eth0"}}}})
	}
}

// Addresses of bridge and guests.
const (
	bridgeMAC = "00:16:3e:01:02:01"
	vifA      = "nbu1x1"
	vifB      = "nbu1x2"
	macA      = "02:16:3e:00:00:0a"
	macB      = "02:16:3e:00:00:0b"
)

// vif is an interface on bn1.
func vif(mac, ip string, rules []device.Rule, maps ...device.PortMap) device.Spec {
	return device.Spec{Vif: &device.VifSpec{Bridge: "bn1", MAC: mac, IP: netip.MustParseAddr(ip),
		AppID: "app", Rules: rules, PortMaps: maps, Up: true}}
}

// free admits all.
func free() []device.Rule { return []device.Rule{{RuleID: 1}} }

// plug makes a guest with a fixed address and a default route, and waits until it is attached.
func (r *rig) plug(name, mac, addr string, ports ...uint16) *netlab.Guest {
	r.t.Helper()
	g := r.lab.Guest(r.dev, name)
	g.Plug(mac, false, ports...)
	g.Space.Up("eth0", addr)
	if addr == "10.1.0.2/24" || addr == "10.1.0.3/24" {
		g.Space.Run("ip", "route", "add", "default", "via", "10.1.0.1")
	}
	r.Until(name+" attached", func(x *picture) bool { return x.attached(name) })
	return g
}
