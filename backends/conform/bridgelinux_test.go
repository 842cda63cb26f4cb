package conform_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/bridge"
	"github.com/evetwin/evetwin/backends/linux/netcaps"
	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

func TestLAB13_NET37_APP53_LinuxBridgeConforms(t *testing.T) {
	t.Cleanup(netlab.Untouched(t))
	caps, err := netcaps.Probe()
	if err != nil {
		t.Fatal(err)
	}
	linux := realPart("linux")
	linux.Lacks = lacking(conform.NeedsBridgeVLAN, conform.NeedsNoBridgeVLAN,
		!caps.Can(netcaps.BridgeVLAN))
	conform.Bridge(t, linux, func(t *testing.T) conform.BridgeSetup {
		return newBridgeLab(t).setup()
	})
}

// bridgeLab is a device in a namespace, its network in another, and its guests.
type bridgeLab struct {
	t        *testing.T
	dev, sdn *netlab.Space
	guests   map[string]*netlab.Guest
	state    string
	part     *bridge.Bridge
}

func newBridgeLab(t *testing.T) *bridgeLab {
	for _, p := range []string{"nft", "dnsmasq"} {
		labtest.Program(t, p)
	}
	l := netlab.New(t)
	x := &bridgeLab{t: t, dev: l.Space("dev"), sdn: l.Space("sdn"), state: t.TempDir(),
		guests: map[string]*netlab.Guest{}}
	l.Cable(x.dev, "eth0", x.sdn, "lan0")
	l.Cable(x.dev, "eth1", x.sdn, "lan1")
	x.sdn.Up("lan0", "10.99.0.1/24")
	x.dev.Up("eth0", "10.99.0.7/24")
	x.dev.Run("ip", "route", "add", "default", "via", "10.99.0.1")
	for _, vif := range []string{"nbu1x1", "nbu1x2"} {
		x.guests[vif] = l.Guest(x.dev, vif)
	}
	x.part = bridge.New(bridge.Options{Space: x.dev.Name, State: x.state,
		OnError: func(err error) { t.Log("beside the ops:", err) }})
	t.Cleanup(x.part.Close)
	return x
}

func (x *bridgeLab) setup() conform.BridgeSetup {
	return conform.BridgeSetup{Setup: conform.Setup{Part: x.part, Cut: x.cut},
		Appear: func(vif, mac string, asks bool) {
			x.guests[vif].Plug(mac, asks, conform.BridgePort)
		},
		Vanish: func(vif string) { x.guests[vif].Unplug() },
		Meddle: x.meddle,
		Reach: func(port uint16) bool {
			for _, g := range x.guests {
				g.Settle()
			}
			at := netip.AddrPortFrom(netip.MustParseAddr("10.99.0.7"), port)
			return x.sdn.Dial(at, 200*time.Millisecond)
		}, Ask: x.ask, Outside: x.outside, Talk: x.talk, Rest: x.rest, Resolve: x.resolve}
}

// remove removes an interface of the device; none is a success.
func (x *bridgeLab) remove(name string) {
	l, err := x.dev.Link.LinkByName(name)
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) {
		return
	}
	if err == nil {
		err = x.dev.Link.LinkDel(l)
	}
	if err != nil {
		x.t.Error(err)
	}
}

// cut is a power cut: the process ends, and what the kernel and a tmpfs held is gone.
func (x *bridgeLab) cut() {
	x.part.Close()
	for _, name := range []string{"bn1", "bn2"} {
		x.remove(name)
	}
	x.dev.Run("nft", "flush", "ruleset")
	x.dev.Run("sh", "-c", "ip route flush table 801; ip rule del iif bn1; ip rule del iif bn1; true")
	for _, g := range x.guests {
		g.Unplug()
	}
	x.dev.Do(func() {
		if err := netlink.ConntrackTableFlush(netlink.ConntrackTable); err != nil {
			x.t.Error(err)
		}
	})
	files, err := filepath.Glob(filepath.Join(x.state, "*"))
	for _, f := range files {
		err = errors.Join(err, os.RemoveAll(f))
	}
	if err != nil {
		x.t.Error(err)
	}
}

// meddle is somebody at a shell of the device.
func (x *bridgeLab) meddle(what string) {
	kind, name, _ := strings.Cut(what, "/")
	switch kind {
	case conform.BridgeFirewall:
		x.dev.Run("nft", "flush", "ruleset")
	case "bridge":
		x.remove(name)
	case "service":
		text, err := os.ReadFile(filepath.Join(x.state, "service."+name, "pid"))
		if err != nil {
			x.t.Error(err)
			return
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			x.t.Errorf("kill the service of %s: %v", name, err)
		}
	}
}
