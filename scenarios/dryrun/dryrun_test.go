package dryrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tb is what testing.T and rapid.T have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// outcome runs a dry run to its exit code: 0 settled, 1 not, 2 refused; lines say why.
func outcome(t tb, o Options) (exit int, lines []string, r *Report) {
	t.Helper()
	in, err := Read(o)
	if err == nil {
		r, err = in.Run(context.Background(), Tries{})
	}
	var no *Refusal
	switch {
	case errors.As(err, &no):
		return 2, no.Lines, nil
	case err != nil:
		t.Fatal(err)
	case !r.OK:
		return 1, []string{r.Error}, r
	}
	return 0, nil, r
}

// quick fails if what came before took longer than a dry run may.
func quick(t tb, began time.Time, what string) {
	t.Helper()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("%s took %v, at most 2 s are allowed", what, took)
	}
}

func TestBadInputIsRefusedWithFileFieldReason(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range []struct {
		file, kind string // testdata/bad/<file>, and the option it is given as
		exit       int
		lines      string
	}{
		{"config-empty.json", "config", 2, "line 1: the file ends in the middle"},
		{"config-list.json", "config", 2, "line 1: it is not a JSON object"},
		{"config-truncated.json", "config", 2, "line 3: the file ends in the middle"},
		{"config-twice.json", "config", 2, "line 1: there is more after the end of the object"},
		{"config-type.json", "config", 2,
			`systemAdapterList[0].uplink: "yes" is neither true nor false`},
		{"config-enum-name.json", "config", 2,
			`networks[1].ip.dhcp: "dynamic" is not a value of DHCPType`},
		{"config-enum-number.json", "config", 2,
			"apps[0].fixedresources.virtualizationMode: 99 is not a value of VmMode\n" +
				"networks[1].ip.dhcp: 17 is not a value of DHCPType"},
		{"config-deep.json", "config", 2, "line 1: nested deeper than 64"},
		{"config-binary.json", "config", 2,
			`line 1: invalid character '\x00' looking for beginning of value`},
		{"config-many.json", "config", 2, "deviceIoList: 300 objects exceed the limit of 256"},
		{"config-truncated.json", "bootstrap", 2, "line 3: the file ends in the middle"},
		{"config-wrong-subnet.json", "config", 1, "not onboarded within 10m0s: at step waiting for " +
			"network: eth0 (192.168.9.5): https://mydomain.adam/api/v2/edgedevice/certs over eth0: *"},
		{"model-cycle.json", "model", 2,
			"ioMemberList[0].parentassigngrp: groups are above each other: x > y > x"},
		{"model-twice.json", "model", 2, `ioMemberList[1].logicallabel: "eth0" is used by ` +
			"ioMemberList[0].logicallabel already"},
		{"model-nothing.json", "model", 2, "ioMemberList: there is no list of adapters"},
		{"model-type.json", "model", 2, "ioMemberList[0].ztype: 8 is not a value of PhyIoType"},
		{"model-usage.json", "model", 2,
			"ioMemberList[0].usage: 77 is not a value of PhyIoMemberUsage"},
		{"model-pci.json", "model", 2,
			`ioMemberList[0].phyaddrs.PciLong: "01.00.0" is not a PCI address like 0000:02:00.0`},
		{"model-truncated.json", "model", 2, "line 1: the file ends in the middle"},
		{"model-no-network.json", "model", 1, "not onboarded within 10m0s: at step waiting for network"},
		{"network-dangling.json", "network", 2, `bridges[0].ports[1] (b0): there is no port "p7"` +
			"\n" + `networks[0].bridge (n0): there is no bridge "b9"`},
		{"network-two-masters.json", "network", 2,
			`bridges[1].ports[0] (b1): port "p0" has a master already: bridges[0].ports[0]`},
		{"network-vlan-twice.json", "network", 2,
			`networks[1].vlanID (n1): VLAN 7 of bridge "b0" already belongs to network "n0"`},
		{"network-outside.json", "network", 2,
			"networks[0].gwIP (n0): 10.9.0.1 is outside the subnet 10.0.0.0/24"},
		{"network-type.json", "network", 2, "networks[0].vlanID (n0): must be a number, is a string"},
		{"network-truncated.json", "network", 2,
			"not a network model in JSON: line 1, column 91: the file ends too early"},
		{"network-cable-out.json", "network", 1, "not onboarded within 10m0s: at step waiting for " +
			"network; port eth0: port eth0 has no carrier"},
		{"network-no-way-out.json", "network", 1, "not onboarded within 10m0s: at step waiting for " +
			"network; port eth0: port eth0 has no DNS server"},
		{"overrides-truncated", "overrides", 2,
			"DevicePortConfig/override.json: line 2: it is not JSON: unexpected end of JSON input"},
		{"overrides-field", "overrides", 2,
			`DevicePortConfig/override.json: Ports[0].Type: is not a number from 0 to 255: "four"`},
		{"overrides-noports", "overrides", 2,
			"DevicePortConfig/override.json: there is no port in Ports"},
		{"overrides-global", "overrides", 2, "GlobalConfig/global.json: line 1: it is not a JSON object"},
		{"overrides-bootstrap", "overrides", 2,
			"bootstrap-config.pb: Malformed: BootstrapConfig does not parse: *"},
		{"config-two-lists.json", "config", 2, "apps: it is there twice"},
		{"config-two-spellings.json", "config", 2, "config_timestamp: it is there twice"},
		{"config-two-addresses.json", "config", 2, "deviceIoList[0].phyaddrs.Ifname: it is there twice"},
		{"config-utf16.json", "config", 2, "it is in UTF-16, JSON is in UTF-8"},
		{"config-large-number.json", "config", 2, "controllerEpoch: 1" + strings.Repeat("0", 59) +
			"... is too large a number"},
		{"model-memory.json", "model", 2, `attr.memory: "-4G" is not a size like 4G`},
		{"model-storage.json", "model", 2, `attr.storage: "an object" is not a size like 32G`},
		{"model-cpus.json", "model", 2, `attr.Cpus: "-1" is not a number from 1 to 65535`},
		{"model-memory-utf16.json", "model", 2, "it is in UTF-16, JSON is in UTF-8"},
		{"overrides-folder", "overrides", 2, "DevicePortConfig/override.json: it is a folder"},
		{"overrides-mark", "overrides", 2, "DevicePortConfig/override.json: line 1: it begins with a " +
			"byte order mark, which a device does not read"},
		{"overrides-nothing", "overrides", 2, "GlobalConfig/global.json: line 1: it is empty"},
		{"overrides-large", "overrides", 2,
			"DevicePortConfig/override.json: the file has 24402 bytes, more than 16384"},
		{"overrides-missing", "overrides", 1, "not onboarded within 10m0s: at step waiting for " +
			"network; port eth7?[2J: interface eth7?[2J is missing"},
		{"missing.json", "config", 2, "no such file or directory"},
		{"overrides-field", "model", 2, "it is a folder"},
		{"config-list.json", "overrides", 2, "it is not a folder"},
	} {
		covered[c.file] = true
		path := filepath.Join("testdata", "bad", c.file)
		began := time.Now()
		exit, lines, _ := outcome(t, optionOf(c.kind, path))
		quick(t, began, c.file)
		sep := ": "
		if c.kind == "overrides" && !strings.HasPrefix(c.lines, "it is ") && c.exit == 2 {
			sep = "/"
		}
		var want []string
		for _, l := range strings.Split(c.lines, "\n") {
			want = append(want, path+sep+l)
		}
		got, wanted := strings.Join(lines, "\n"), strings.Join(want, "\n")
		begin, open := strings.CutSuffix(wanted, "*")
		if exit != c.exit || got != wanted && (!open || !strings.HasPrefix(got, begin)) {
			t.Errorf("%s as %s: exit %d, want %d\ngot  %s\nwant %s", c.file, c.kind, exit, c.exit, got,
				wanted)
		}
	}
	for _, c := range spoiled {
		covered[c.file] = true
	}
	files, err := os.ReadDir(filepath.Join("testdata", "bad"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !covered[f.Name()] {
			t.Errorf("testdata/bad/%s is in no test", f.Name())
		}
	}
}

func TestOversizedFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pad := func(n int) []byte {
		return append([]byte(`{"deviceName": "`), bytes.Repeat([]byte("x"), n)...)
	}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Config: write("ten.json", append(pad(10<<20), `"}`...))},
			"ten.json: 10485778 bytes exceed the limit of 8388608"},
		{Options{Config: write("huge.json", make([]byte, 40<<20))},
			"huge.json: 41943040 bytes exceed the limit of 33554432"},
		{Options{Model: write("model.json", pad(2<<20))},
			"model.json: 2097168 bytes exceed the limit of 1048576"},
		{Options{Network: write("network.json", pad(5<<20))},
			"network.json: has 5242896 bytes, more than the limit of 4194304"},
		{Options{Config: write("apps.json", []byte(`{"apps": [`+strings.Repeat("{},", 400_000)+`{}]}`))},
			"apps.json: apps: 400001 objects exceed the limit of 900"},
	} {
		began := time.Now()
		exit, lines, _ := outcome(t, c.o)
		quick(t, began, c.want)
		if exit != 2 || len(lines) != 1 || lines[0] != filepath.Join(dir, c.want) {
			t.Errorf("exit %d %q, want 2 with %s", exit, lines, c.want)
		}
	}
}

func TestTooLittleTime(t *testing.T) {
	exit, lines, r := outcome(t, Options{For: 20 * time.Second})
	if exit != 1 || !r.Onboarded || r.Settled || r.VirtualS != 20 ||
		lines[0] != "not settled within 20s: it has not come to rest" {
		t.Errorf("exit %d %q, report %+v", exit, lines, r)
	}
	exit, lines, r = outcome(t, Options{For: 50 * time.Millisecond})
	if exit != 1 || r.Onboarded ||
		!strings.HasPrefix(lines[0], "not onboarded within 50ms: at step ") {
		t.Errorf("exit %d %q, report %+v", exit, lines, r)
	}
}

func TestReportKeys(t *testing.T) {
	_, _, r := outcome(t, Options{})
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"ok", "settled", "onboarded", "virtual_s", "ports", "port_configs",
		"network_instances", "volumes", "applications", "errors", "unknown_fields", "made_up"} {
		if v, ok := m[key]; !ok || v == nil {
			t.Errorf("%s is %v", key, v)
		}
	}
	if m["error"] != nil {
		t.Errorf("error is %v where all is well", m["error"])
	}
}

func TestSameInputsSameReport(t *testing.T) {
	o := Options{Config: filepath.Join("testdata", "good", "datastores.json")}
	_, _, a := outcome(t, o)
	_, _, b := outcome(t, o)
	ja, _ := json.Marshal(a)
	jb, _ := json.Marshal(b)
	if !bytes.Equal(ja, jb) {
		t.Errorf("two runs differ:\n%s\n%s", ja, jb)
	}
}
