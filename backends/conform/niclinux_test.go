package conform_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/netcaps"
	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/linux/nic"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// Servers behind the interfaces, as conform.NicWorld has them.
var (
	lanServer = netlab.Server{Link: "lan0", Range: "10.99.0.50,10.99.0.50", Options: []string{
		"6,10.99.0.1,10.99.0.2", "42,10.99.0.3", "15,lan.example", "252,http://wpad.example/wpad.dat"}}
	otherServer = netlab.Server{Link: "lan0", Range: "10.98.0.50,10.98.0.50",
		Options: append([]string{"3,10.98.0.1"}, lanServer.Options...)}
	tagServer = netlab.Server{Link: "lan0.5", Range: "10.99.5.50,10.99.5.50",
		Options: []string{"6"}} // no server of names: itself, otherwise
	sixServer = netlab.Server{Link: "lan1", Args: []string{"--enable-ra", "--ra-param=lan1,0,1800",
		"--dhcp-range=::,constructor:lan1,ra-only,64", "--dhcp-option=option6:dns-server,[fd00:99::1]"}}
)

func TestLAB6_LAB13_LinuxNicConforms(t *testing.T) {
	t.Cleanup(netlab.Untouched(t))
	caps, err := netcaps.Probe()
	if err != nil {
		t.Fatal(err)
	}
	linux := realPart("linux")
	linux.Lacks = lacksForNic(caps.Can(netcaps.VLAN), caps.Can(netcaps.WireGuard))
	conform.Nic(t, linux, func(t *testing.T) conform.NicSetup {
		return newNicLab(t, caps.Can(netcaps.VLAN)).setup()
	})
}

// nicLab is a device in a namespace, and its networks in another.
type nicLab struct {
	t        *testing.T
	dev, sdn *netlab.Space
	lan      *netlab.Served
	state    string
	resolv   string
	part     *nic.Nic
	keeper   *secret.Keeper
}

func newNicLab(t *testing.T, vlan bool) *nicLab {
	l := netlab.New(t)
	x := &nicLab{t: t, keeper: secret.New([]byte("a key")),
		dev: l.Space("dev"), sdn: l.Space("sdn"), state: t.TempDir()}
	x.resolv = filepath.Join(t.TempDir(), "resolv.conf")
	for i, mac := range []string{conform.NicMAC0, conform.NicMAC1} {
		name, far := fmt.Sprintf("eth%d", i), fmt.Sprintf("lan%d", i)
		l.Cable(x.dev, name, x.sdn, far)
		x.dev.MAC(name, mac)
		x.sdn.Sysctl("net/ipv6/conf/"+far+"/keep_addr_on_down", "1")
	}
	// The main table leads nowhere, so that only its own rule and table lead a port's packets out.
	x.dev.Run("ip", "route", "add", "blackhole", "default", "metric", "1")
	x.sdn.Sysctl("net/ipv6/conf/all/forwarding", "1")
	x.sdn.Up("lan0", "10.99.0.1/24", "10.98.0.1/24")
	x.sdn.Up("lan1", "fd00:99::1/64")
	x.lan = x.sdn.Serve(lanServer)
	x.sdn.Serve(sixServer)
	if vlan {
		x.sdn.Run("ip", "link", "add", "link", "lan0", "name", "lan0.5", "type", "vlan", "id", "5")
		x.sdn.Up("lan0.5", "10.99.5.1/24")
		x.sdn.Serve(tagServer)
	}
	x.part = nic.New(nic.Options{Space: x.dev.Name, Ports: []string{"eth0", "eth1"}, State: x.state,
		ResolvConf: x.resolv, Keeper: func() *secret.Keeper { return x.keeper },
		OnError: func(err error) { t.Log("beside the ops:", err) }})
	t.Cleanup(x.part.Close)
	return x
}

func (x *nicLab) setup() conform.NicSetup {
	far := map[string]string{"eth0": "lan0", "eth1": "lan1"}
	return conform.NicSetup{Setup: conform.Setup{Part: x.part, Cut: x.cut},
		Cable: func(ifname string, in bool) {
			if in {
				x.sdn.Up(far[ifname])
			} else {
				x.sdn.Down(far[ifname])
			}
		},
		Serve: func(on bool) {
			if on {
				x.lan.Start()
			} else {
				x.lan.Kill()
			}
		},
		Renumber: func(other bool) {
			if other {
				x.lan.Change(otherServer)
			} else {
				x.lan.Change(lanServer)
			}
		},
		Meddle: x.meddle, Secret: making(x.keeper), Carries: x.carries, Via: x.via}
}

// far is an address outside of all networks.
func far() net.IP { return net.IPv4(192, 0, 2, 9) }

// via asks the kernel.
func (x *nicLab) via(src netip.Addr) string {
	routes, err := x.dev.Link.RouteGetWithOptions(far(), &netlink.RouteGetOptions{
		SrcAddr: src.AsSlice()})
	if errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EINVAL) { // no route; a black hole
		return ""
	}
	if err != nil || len(routes) != 1 {
		return fmt.Sprint(routes, err)
	}
	return routes[0].Gw.String()
}

// cut is a power cut: the process ends, and what the kernel and a tmpfs held is gone.
func (x *nicLab) cut() {
	x.part.Close()
	for _, name := range []string{"eth0", "eth1"} {
		l := x.dev.Find(name)
		x.flush(name)
		x.dev.Down(name)
		if err := x.dev.Link.LinkSetMTU(l, 1500); err != nil {
			x.t.Error(err)
		}
	}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		rules, err := x.dev.Link.RuleList(family)
		if err != nil {
			x.t.Error(err)
		}
		for _, r := range rules {
			if r.Family = family; r.Src != nil {
				if err := x.dev.Link.RuleDel(&r); err != nil {
					x.t.Error(err)
				}
			}
		}
	}
	for _, path := range []string{filepath.Join(x.state, "nic.json"), x.resolv} {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			x.t.Error(err)
		}
	}
}

// flush takes all IPv4 addresses of an interface away.
func (x *nicLab) flush(name string) {
	l := x.dev.Find(name)
	addrs, err := x.dev.Link.AddrList(l, netlink.FAMILY_V4)
	if err != nil {
		x.t.Error(err)
	}
	for _, a := range addrs {
		// With the first address of a subnet go the others.
		if err := x.dev.Link.AddrDel(l, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			x.t.Error(err)
		}
	}
}

// meddle is somebody at a shell of the device.
func (x *nicLab) meddle(item string) {
	switch item {
	case "link/eth0":
		x.dev.Down("eth0")
	case "static/eth0", "dhcp/eth0":
		x.flush("eth0")
	case "route/eth0":
		for _, table := range []string{"main", "500", "501"} {
			_ = exec.Command("ip", "-n", x.dev.Name, "route", "del", "default", "dev", "eth0",
				"table", table).Run()
		}
	case "vlan/v0", "wireguard/wg0":
		_, name, _ := strings.Cut(item, "/")
		x.dev.Run("ip", "link", "del", name)
	case "resolv/global":
		if err := os.WriteFile(x.resolv, []byte("nameserver 192.0.2.1\n"), 0o644); err != nil {
			x.t.Error(err)
		}
	}
}
