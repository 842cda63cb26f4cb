package netcaps_test

import (
	"os/exec"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/netcaps"
	"github.com/evetwin/evetwin/backends/linux/netlab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestProbeAgreesWithTheTools holds what the probe found against what iproute2 can do here.
func TestProbeAgreesWithTheTools(t *testing.T) {
	t.Cleanup(netlab.Untouched(t))
	c, err := netcaps.Probe()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("has %q, lacks %q", c.Has, c.Lacks)
	if !slices.IsSorted(c.Has) || !slices.IsSorted(c.Lacks) || len(c.Has)+len(c.Lacks) != 11 {
		t.Errorf("%d and %d features", len(c.Has), len(c.Lacks))
	}
	s := netlab.New(t).Space("tools")
	ip := func(args ...string) bool {
		return exec.Command("ip", append([]string{"-n", s.Name}, args...)...).Run() == nil
	}
	for _, x := range []struct {
		feature string
		args    []string
	}{
		{netcaps.Veth, []string{"link", "add", "t0", "type", "veth", "peer", "name", "t1"}},
		{netcaps.VLAN, []string{"link", "add", "link", "t0", "name", "t0.5", "type", "vlan", "id", "5"}},
		{netcaps.Bond, []string{"link", "add", "b0", "type", "bond"}},
		{netcaps.Dummy, []string{"link", "add", "d0", "type", "dummy"}},
		{netcaps.WireGuard, []string{"link", "add", "w0", "type", "wireguard"}},
		{netcaps.VRF, []string{"link", "add", "v0", "type", "vrf", "table", "10"}},
		{netcaps.Macvlan, []string{"link", "add", "link", "t0", "name", "m0", "type", "macvlan"}},
		{netcaps.Bridge, []string{"link", "add", "br0", "type", "bridge"}},
		{netcaps.BridgeVLAN, []string{"link", "set", "br0", "type", "bridge", "vlan_filtering", "1"}},
	} {
		if can := ip(x.args...); can != c.Can(x.feature) {
			t.Errorf("%s: the tools say %v, the probe %v", x.feature, can, c.Can(x.feature))
		}
	}
	nft := exec.Command("ip", "netns", "exec", s.Name, "nft", "add table bridge p; "+
		"add chain bridge p c; add rule bridge p c ct state established accept").Run() == nil
	if nft != c.Can(netcaps.BridgeConntrack) {
		t.Errorf("conntrack of bridges: the tools say %v, the probe %v", nft, !nft)
	}
}
