package dryrun

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// realData is the folder of real input, which is no part of the repository.
func realData(t testing.TB) string {
	t.Helper()
	root := os.Getenv("EVETWIN_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no real input: EVETWIN_DATA is not set and %s is not there", root)
	}
	return root
}

func glob(t testing.TB, pattern ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", filepath.Join(pattern...), err)
	}
	return files
}

// real is a real network: what a device in it comes to, without errors beyond those of want.
type real struct {
	name  string
	ports string // "label address" of each port, the address without its last number
	apps  string // "name address" of each application; all run
	want  []string
}

// The time server of the outside cannot be reached where only the proxy gets out (explicit-proxy).
var reals = []real{
	{"explicit-proxy", "eth0 172.22.12.", "", []string{"set the clock: no time server answers"}},
	{"ipv6-network", "eth0 fd5e:1821:efe1::", "", nil},
	{"local-ni-multiple-ports", "eth0 172.22.10., eth1 172.28.20., eth2 192.168.30., eth3 10.40.40.",
		"eclient 10.50.0.2", nil},
	{"multiple-uplinks", "eth0 172.22.12., eth1 192.168.55., eth2 10.140.2.",
		"app 10.50.0.2 10.50.1.2 10.50.2.2", nil},
	{"static-ips", "eth0 172.22.12.", "", nil},
	{"vlan-subinterfaces", "mgmt-vlan 172.22.10., app-vlan 172.22.20., ethernet0 192.168.77.",
		"app1 10.50.10.2, app2 10.50.77.2", nil},
}

func (n real) options(root string) Options {
	dir := filepath.Join(root, "networks", n.name)
	return Options{Network: filepath.Join(dir, "network-model.json"),
		Config: filepath.Join(dir, "device-config.json")}
}

// check compares a report with what is expected of the network.
func (n real) check(t *testing.T, r *Report) {
	t.Helper()
	var ports, apps []string
	for _, p := range r.Ports {
		addr := strings.Join(p.Addresses, " ")
		ports = append(ports, p.Label+" "+addr[:1+strings.LastIndexAny(addr, ".:")])
		if !p.Up || p.Error != "" || len(p.DNS) == 0 {
			t.Errorf("%s: port %+v", n.name, p)
		}
	}
	for _, a := range r.Applications {
		apps = append(apps, a.Name+" "+strings.Join(a.Addresses, " "))
		if a.State != "RUNNING" {
			t.Errorf("%s: application %+v", n.name, a)
		}
	}
	if got := strings.Join(ports, ", "); got != n.ports {
		t.Errorf("%s: ports %s, want %s", n.name, got, n.ports)
	}
	if got := strings.Join(apps, ", "); got != n.apps {
		t.Errorf("%s: applications %s, want %s", n.name, got, n.apps)
	}
	for _, i := range r.NetworkInstances {
		if i.State != "ONLINE" {
			t.Errorf("%s: network instance %+v", n.name, i)
		}
	}
	for _, v := range r.Volumes {
		if v.State != "CREATED_VOLUME" || v.Progress != 100 {
			t.Errorf("%s: volume %+v", n.name, v)
		}
	}
	if len(r.PortConfigs) == 0 || r.PortConfigs[0].Key != "zedagent" ||
		r.PortConfigs[0].State != "DPC_SUCCESS" {
		t.Errorf("%s: port configurations %+v", n.name, r.PortConfigs)
	}
	var errs []string
	for _, e := range r.Errors {
		errs = append(errs, e.Text)
	}
	if !slices.Equal(errs, n.want) {
		t.Errorf("%s: errors %q, want %q", n.name, errs, n.want)
	}
	if (len(r.Applications) > 0) != (len(r.MadeUp) > 0) || len(r.UnknownFields) > 0 {
		t.Errorf("%s: made up %q, unknown %q", n.name, r.MadeUp, r.UnknownFields)
	}
}

// TestRealNetworks runs the six networks with their configurations, with the overrides that some of
// them have and with a bootstrap configuration instead.
func TestRealNetworks(t *testing.T) {
	root := realData(t)
	if dirs := glob(t, root, "networks", "*"); len(dirs) != len(reals) {
		t.Errorf("%d networks, %d in the table", len(dirs), len(reals))
	}
	for _, n := range reals {
		for _, bootstrap := range []bool{false, true} {
			o := n.options(root)
			if bootstrap {
				o.Bootstrap = o.Config // beats the overrides
			}
			began := time.Now()
			exit, lines, r := outcome(t, o)
			quick(t, began, n.name)
			if exit != 0 {
				t.Errorf("%s: exit %d %q", n.name, exit, lines)
				continue
			}
			n.check(t, r)
		}
	}
}

// onOne is the error of adapters that can only be assigned together, and are not in one group.
const onOne = " are on one PCI controller and in different assignment groups"

// split are the models whose groups part functions of one PCI device; EVE says so too.
var split = map[string][]string{
	"Packet-c1.small.x86.json": {"adapters eth0 and eth1" + onOne},
	"Packet-s1.large.x86.json": {"adapters eth0 and eth1" + onOne,
		"adapters eth2 and eth3" + onOne},
	"iEi_TANK-870-AI-i7-8G-2A.json": {"adapters Audio and eth0" + onOne},
}

// TestRealModels runs the device models alone: at most two Ethernet ports of each are used, and all
// is well.
func TestRealModels(t *testing.T) {
	root := realData(t)
	for _, m := range glob(t, root, "models", "*.json") {
		began := time.Now()
		exit, lines, r := outcome(t, Options{Model: m})
		quick(t, began, m)
		if exit != 0 || len(r.UnknownFields) > 0 || len(r.Ports) == 0 || len(r.Ports) > 2 {
			t.Errorf("%s: exit %d %q, report %+v", m, exit, lines, r)
			continue
		}
		var errs []string
		for _, e := range r.Errors {
			if !slices.Contains(errs, e.Text) {
				errs = append(errs, e.Text)
			}
		}
		if want := split[filepath.Base(m)]; !slices.Equal(errs, want) {
			t.Errorf("%s: errors %q, want %q", m, errs, want)
		}
		for _, p := range r.Ports {
			if !p.Up || !p.Mgmt || len(p.Addresses) != 1 || !strings.HasPrefix(p.Label, "eth") {
				t.Errorf("%s: port %+v", m, p)
			}
		}
	}
}

// TestRealSimple runs Adam's example: it has no id, and a field that the API has no more.
func TestRealSimple(t *testing.T) {
	root := realData(t)
	exit, lines, r := outcome(t, Options{Config: filepath.Join(root, "configs", "simple.json")})
	if exit != 0 {
		t.Fatalf("exit %d %q", exit, lines)
	}
	want := "port eth0 eth0 up=true mgmt=true addresses=1\ndpc zedagent DPC_SUCCESS\n" +
		"instance defaultLocal-eve local ONLINE\nunknown lispInfo\n"
	if got := summary(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRealCombinations puts every configuration on every model: all of them have an eth0, so every
// device gets to its controller. What a model does not have shows as an error on the port or the
// application, and nothing else does.
func TestRealCombinations(t *testing.T) {
	root := realData(t)
	for _, m := range glob(t, root, "models", "*.json") {
		for _, n := range reals {
			o := n.options(root)
			o.Model = m
			began := time.Now()
			exit, lines, r := outcome(t, o)
			quick(t, began, m+" in "+n.name)
			if exit != 0 {
				t.Errorf("%s in %s: exit %d %q", m, n.name, exit, lines)
				continue
			}
			checkLacks(t, m+" in "+n.name, n, r)
		}
		exit, lines, _ := outcome(t, Options{Model: m,
			Config: filepath.Join(root, "configs", "simple.json")})
		if exit != 0 {
			t.Errorf("%s with simple.json: exit %d %q", m, exit, lines)
		}
	}
}

// checkLacks allows only for errors that come of hardware that is not there.
func checkLacks(t *testing.T, what string, n real, r *Report) {
	t.Helper()
	missing := false
	for _, p := range r.Ports {
		missing = missing || strings.HasSuffix(p.Error, "is missing")
	}
	for _, e := range r.Errors {
		switch {
		case slices.Contains(n.want, e.Text):
		case strings.HasPrefix(e.Object, "port ") && (strings.HasSuffix(e.Text, "is missing") ||
			strings.HasSuffix(e.Text, "has no carrier")):
		case strings.HasPrefix(e.Text, "Remaining memory bytes "):
		case strings.HasPrefix(e.Object, "adapter ") && strings.HasSuffix(e.Text, onOne):
		case strings.HasPrefix(e.Object, "network instance ") && missing:
		default:
			t.Errorf("%s: %+v", what, e)
		}
	}
	for _, a := range r.Applications {
		if a.State != "RUNNING" && !strings.HasPrefix(a.Error, "Remaining memory bytes ") {
			t.Errorf("%s: application %+v", what, a)
		}
	}
}
