package nic

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/linux/netpart/parttest"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/nic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the network of a device in a namespace, with nothing of the host around it.
type rig struct {
	*parttest.Process[*machine, picture]
	t        *testing.T
	dev, sdn *netlab.Space
	o        Options
}

// newRig lays a cable from eth0 to lan0, with 10.99.0.1/24 there, and starts the part.
func newRig(t *testing.T) *rig {
	t.Cleanup(netlab.Untouched(t))
	l := netlab.New(t)
	r := &rig{t: t, dev: l.Space("dev"), sdn: l.Space("sdn")}
	l.Cable(r.dev, "eth0", r.sdn, "lan0")
	r.dev.MAC("eth0", "02:00:00:00:99:00")
	r.sdn.Up("lan0", "10.99.0.1/24")
	r.o = Options{Space: r.dev.Name, Ports: []string{"eth0"}, State: filepath.Join(t.TempDir(), "run"),
		ResolvConf: filepath.Join(t.TempDir(), "resolv.conf"), decline: 50 * time.Millisecond,
		OnError: func(err error) { t.Log("beside the ops:", err) }}
	r.Process = parttest.New(t, func(show func(*picture)) (*machine, error) {
		start := time.Now()
		return open(r.o, func(t time.Time) time.Duration { return t.Sub(start) }, show)
	})
	r.Start()
	return r
}

// does sets items, "link/eth0" and what follows from it.
func (r *rig) does(item string, s device.Spec) {
	r.t.Helper()
	if f := r.set(item, s); f != nil {
		r.t.Fatalf("set %s: %+v", item, *f)
	}
}

func (r *rig) set(item string, s device.Spec) *agent.Fault {
	return r.M.Op(context.Background(), "set "+item,
		func() error { return r.M.set(item, s, &privateKey{}) })
}

func (r *rig) clear(item string) *agent.Fault {
	return r.M.Op(context.Background(), "clear "+item, func() error { return r.M.clear(item) })
}

// has waits until eth0 has exactly these global addresses.
func (r *rig) has(want ...string) device.AddrSeen {
	r.t.Helper()
	var row device.AddrSeen
	r.Until("eth0 with "+strings.Join(want, " "), func(x *picture) bool {
		var got []string
		for _, a := range x.addrs {
			if row = a; a.IfName == "eth0" {
				for _, p := range a.Addrs {
					if !p.Addr().IsLinkLocalUnicast() {
						got = append(got, p.String())
					}
				}
				break
			}
		}
		return slices.Equal(got, want)
	})
	return row
}

// seen reports whether an item is seen.
func seen(x *picture, item string) bool {
	return slices.ContainsFunc(x.items, func(i device.ItemSeen) bool { return i.Item == item })
}

// network is what the kernel has that an item could have put there.
func (r *rig) network() string {
	r.t.Helper()
	l := r.dev.Find("eth0")
	d, err := r.M.dump()
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, a := range d.Addrs[l.Attrs().Index] {
		if p := netkernel.Prefix(a.IPNet); !p.Addr().IsLinkLocalUnicast() {
			out = append(out, "address "+p.String())
		}
	}
	for i := range d.Routes {
		out = append(out, routeWay(&d.Routes[i]).Key)
	}
	for i := range d.Rules {
		out = append(out, ruleWay(&d.Rules[i]).Key)
	}
	slices.Sort(out)
	text, err := os.ReadFile(r.o.ResolvConf)
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return fmt.Sprintf("up %v mtu %d\n%s\n%s", netkernel.IsUp(l), l.Attrs().MTU,
		strings.Join(out, "\n"), text)
}

// via is the router that packets from a source take to a far host.
func (r *rig) via(src string) string {
	r.t.Helper()
	q := &netlink.RouteGetOptions{}
	if src != "" {
		q.SrcAddr = netip.MustParseAddr(src).AsSlice()
	}
	routes, err := r.dev.Link.RouteGetWithOptions(
		netip.MustParseAddr("192.0.2.9").AsSlice(), q)
	if err != nil {
		return err.Error()
	}
	for _, x := range routes {
		return netkernel.Addr(x.Gw).String()
	}
	return "none"
}

func link(mtu uint16) device.Spec { return device.Spec{Link: &device.LinkSpec{MTU: mtu}} }

func static(a, gateway string) device.Spec {
	s := &device.StaticSpec{Addr: netip.MustParsePrefix(a)}
	if gateway != "" {
		s.Gateway = netip.MustParseAddr(gateway)
	}
	return device.Spec{Static: s}
}

func route(metric, table int) device.Spec {
	return device.Spec{Route: &device.RouteSpec{Metric: metric, Table: table}}
}

func dhcp(s device.DHCPSpec) device.Spec { return device.Spec{DHCP: &s} }

// mains are the default routes of the main table by metric.
func (r *rig) mains() string {
	r.t.Helper()
	routes, err := r.dev.Link.RouteListFiltered(netlink.FAMILY_V4,
		&netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, x := range routes {
		if x.Dst == nil || netkernel.Prefix(x.Dst).Bits() == 0 {
			out = append(out, fmt.Sprintf("%s metric %d", netkernel.Addr(x.Gw), x.Priority))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
