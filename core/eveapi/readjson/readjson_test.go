package readjson_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/readjson"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadsNamesOfBothKinds(t *testing.T) {
	cfg, unknown, err := readjson.ReadConfigJSON("edge-full.json", read(t, "edge-full.json"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"lispInfo"}; !slices.Equal(unknown, want) {
		t.Errorf("unknown fields %v, want %v", unknown, want)
	}
	vlan := cfg.GetVlans()[0]
	if vlan.GetInterfaceName() != "vlan7" || vlan.GetLowerLayerName() != "floor" ||
		vlan.GetVlanId() != 7 {
		t.Errorf("VLAN %v", vlan)
	}
	if io := cfg.GetDeviceIoList()[1]; io.GetPtype() != 1 || io.GetUsage() != 2 ||
		io.GetPhyaddrs()["IFNAME"] != "eth1" {
		t.Errorf("adapter %v", io)
	}
	if got := cfg.GetContentInfo()[0].GetMaxSizeBytes(); got != 1000000 {
		t.Errorf("a number in quotes became %d", got)
	}
	if got := string(cfg.GetDatastores()[0].GetDsCertPEM()[0]); got != "-----" {
		t.Errorf("base64 became %q", got)
	}
	if got := cfg.GetConfigTimestamp().AsTime(); !got.Equal(
		time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)) {
		t.Errorf("timestamp %v", got)
	}
	// What was read survives the wire.
	b, err := eveapi.Marshal(cfg)
	back := &config.EdgeDevConfig{}
	if err != nil || eveapi.Unmarshal(b, back) != nil || !proto.Equal(cfg, back) {
		t.Errorf("the configuration does not survive the wire: %v", err)
	}
}

func TestRefusesWithFileFieldReason(t *testing.T) {
	deep := strings.Repeat(`{"id":`, 70) + "1" + strings.Repeat("}", 70)
	for _, c := range []struct{ json, want string }{
		{``, "c.json: line 1: the file ends in the middle"},
		{"{\n\"id\": {", "c.json: line 2: the file ends in the middle"},
		{"{\n}\n{}", "c.json: line 3: there is more after the end of the object"},
		{`[]`, "c.json: line 1: it is not a JSON object"},
		{`{"id": 5}`, "c.json: id: 5 is not an object"},
		{`{"id": {"version": 5}}`, "c.json: id.version: 5 is not text"},
		{`{"networks": {}}`, "c.json: networks: an object is not a list"},
		{`{"networks": [{"ip": {"dhcp": "dynamic"}}]}`,
			`c.json: networks[0].ip.dhcp: "dynamic" is not a value of DHCPType`},
		{`{"networks": [{}, {"mtu": -1}]}`,
			"c.json: networks[1].mtu: -1 is not between 0 and 4294967295"},
		{`{"networks": [{"mtu": 1.5}]}`, "c.json: networks[0].mtu: 1.5 is not a whole number"},
		{`{"maintenanceMode": "yes"}`, `c.json: maintenanceMode: "yes" is neither true nor false`},
		{`{"config_timestamp": "today"}`,
			`c.json: config_timestamp: "today" is not a time like 2026-01-31T12:00:00Z`},
		{`{"bonds": [{"mii": {}, "arp": {}}]}`,
			"c.json: bonds[0].arp: an object cannot stand beside mii"},
		{`{"datastores": [{"dsCertPEM": ["%"]}]}`,
			`c.json: datastores[0].dsCertPEM[0]: "%" is not base64`},
		{`{"deviceIoList": [{"phyaddrs": {"a\u001b[2J": 7}}]}`,
			`c.json: deviceIoList[0].phyaddrs.a\x1b[2J: 7 is not text`},
		{deep, "c.json: line 1: nested deeper than 64"},
		{`{"apps": [], "id": {}, "apps": []}`, "c.json: apps: it is there twice"},
		{`{"configTimestamp": {}, "config_timestamp": {}}`,
			"c.json: config_timestamp: it is there twice"},
		{`{"deviceIoList": [{"phyaddrs": {"a": "1", "a": "2"}}]}`,
			"c.json: deviceIoList[0].phyaddrs.a: it is there twice"},
		{`{"controllerEpoch": 1` + strings.Repeat("0", 70) + `}`,
			"c.json: controllerEpoch: 1" + strings.Repeat("0", 59) + "... is too large a number"},
		{`{"controllerEpoch": 1e999}`, "c.json: controllerEpoch: 1e999 is too large a number"},
		{"\xff\xfe{\x00}\x00", "c.json: it is in UTF-16, JSON is in UTF-8"},
		{"\xef\xbb\xbf{]", "c.json: line 1: invalid character ']'"},
	} {
		_, _, err := readjson.ReadConfigJSON("c.json", []byte(c.json))
		if err == nil || err.Error() != c.want {
			t.Errorf("%.40s gave %v\nwant %s", c.json, err, c.want)
		}
	}
	many := []byte(`{"z": [` + strings.Repeat("{},", 600_000) + "{}]}")
	if _, _, err := readjson.ReadConfigJSON("c.json", many); err == nil ||
		err.Error() != "c.json: line 1: there are more than 600000 values" {
		t.Errorf("many values gave %v", err)
	}
	big := append([]byte(`{"deviceName": "`), make([]byte, 10<<20)...)
	if _, _, err := readjson.ReadConfigJSON("big.json", big); err == nil ||
		!strings.HasPrefix(err.Error(), "big.json: 1048") {
		t.Errorf("10 MB gave %v", err)
	}
}

func TestUnknownFieldsAreListedByPath(t *testing.T) {
	_, unknown, err := readjson.ReadConfigJSON("c", []byte(`{"x": 1, "apps": [{"y": {}}, {"z": []}]}`))
	if want := []string{"x", "apps[0].y", "apps[1].z"}; err != nil || !slices.Equal(unknown, want) {
		t.Errorf("unknown %v, error %v", unknown, err)
	}
	var many strings.Builder
	for range 1000 {
		many.WriteString(`"q":1,`)
	}
	_, unknown, _ = readjson.ReadConfigJSON("c", []byte("{"+many.String()+`"id":null}`))
	if len(unknown) != 201 || unknown[200] != "and 800 more" {
		t.Errorf("%d unknown fields, last %q", len(unknown), unknown[len(unknown)-1])
	}
}

func TestReadModel(t *testing.T) {
	m, err := readjson.ReadModel("model-small.json", read(t, "model-small.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.IOs()) != 5 || m.Members[1].Cost != 10 || m.IOs()[2].GetPtype() != 2 ||
		m.IOs()[3].GetPhyaddrs()["PciLong"] != "01:00.1" {
		t.Errorf("model %+v", m)
	}
	if want := []string{"ioMemberList[3].sticker"}; !slices.Equal(m.Unknown, want) {
		t.Errorf("unknown %v, want %v", m.Unknown, want)
	}
	if want := (readjson.Attr{Name: "memory", Value: "4G"}); m.Attr[0] != want {
		t.Errorf("figures %v", m.Attr)
	}
}

func TestRefusesModels(t *testing.T) {
	one := func(s string) string { return `{"ioMemberList": [` + s + `]}` }
	for _, c := range []struct{ json, want string }{
		{`{}`, "m: ioMemberList: there is no list of adapters"},
		{one(`5`), "m: ioMemberList[0]: 5 is not an object"},
		{one(`{"phylabel": "a"}`), "m: ioMemberList[0].ztype: the adapter has no type"},
		{one(`{"ztype": 8, "phylabel": "a"}`), "m: ioMemberList[0].ztype: 8 is not a value of PhyIoType"},
		{one(`{"ztype": "Eth", "phylabel": "a"}`),
			`m: ioMemberList[0].ztype: "Eth" is not a value of PhyIoType`},
		{one(`{"ztype": 1}`), "m: ioMemberList[0].phylabel: it is empty"},
		{one(`{"ztype": 1, "phylabel": "a", "cost": 256}`),
			"m: ioMemberList[0].cost: 256 is not between 0 and 255"},
		{one(`{"ztype": 1, "phylabel": "a"}, {"ztype": 1, "phylabel": "a", "logicallabel": "b"}`),
			`m: ioMemberList[1].phylabel: "a" is used by ioMemberList[0].phylabel already`},
		{one(`{"ztype": 1, "phylabel": "a"}, {"ztype": 1, "phylabel": "b", "logicallabel": "a"}`),
			`m: ioMemberList[1].logicallabel: "a" is used by ioMemberList[0].logicallabel already`},
		{one(`{"ztype": 1, "phylabel": "a", "phyaddrs": {"ifname": "e"}},
			{"ztype": 1, "phylabel": "b", "phyaddrs": {"Ifname": "e"}}`),
			`m: ioMemberList[1].phyaddrs.Ifname: "e" is used by ioMemberList[0].phyaddrs.ifname already`},
		{one(`{"ztype": 1, "phylabel": "a", "phyaddrs": {"PciLong": "00:02.8"}}`),
			`m: ioMemberList[0].phyaddrs.PciLong: "00:02.8" is not a PCI address like 0000:02:00.0`},
		{one(`{"ztype": 1, "phylabel": "a", "assigngrp": "x", "phyaddrs": {"PciLong": "00:02.0"}},
			{"ztype": 1, "phylabel": "b", "assigngrp": "y", "phyaddrs": {"PciLong": "00:02.0"}}`),
			`m: ioMemberList[1].phyaddrs.PciLong: 00:02.0 is in assignment group "x" and in "y"`},
		{one(`{"ztype": 14, "phylabel": "a", "assigngrp": "x", "parentassigngrp": "y"},
			{"ztype": 13, "phylabel": "b", "assigngrp": "y", "parentassigngrp": "x"}`),
			"m: ioMemberList[0].parentassigngrp: groups are above each other: x > y > x"},
		{one(`{"ztype": 14, "phylabel": "a", "assigngrp": "x", "parentassigngrp": "x"}`),
			"m: ioMemberList[0].parentassigngrp: groups are above each other: x > x"},
	} {
		if _, err := readjson.ReadModel("m", []byte(c.json)); err == nil || err.Error() != c.want {
			t.Errorf("%s gave %v\nwant %s", c.json, err, c.want)
		}
	}
}

func FuzzReadConfigJSON(f *testing.F) {
	// Short seeds: the fuzzer spends its time on shrinking long ones.
	for _, seed := range []string{`{"networks":[{"type":"V4","ip":{"dhcp":4}}],"x":[1e3]}`,
		`{"ioMemberList":[{"ztype":1,"phylabel":"a","phyaddrs":{"PciLong":"00:02.0"}}]}`,
		`{"config_timestamp":"2026-02-03T04:05:06Z","maintenanceMode":true}`,
		`{"datastores":[{"dsCertPEM":["LS0="]}]}`, `{"bonds":[{"arp":{"interval":"7"}}]}`} {
		f.Add([]byte(seed))
	}
	f.Add([]byte(`{"vlans":[null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, _, err := readjson.ReadConfigJSON("f", data)
		if (cfg == nil) == (err == nil) {
			t.Fatalf("configuration %v with error %v", cfg, err)
		}
		if _, err := readjson.ReadModel("f", data); err != nil && !strings.HasPrefix(err.Error(), "f: ") {
			t.Fatalf("error %q names no file", err)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f: ") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		if _, err := eveapi.Marshal(cfg); err != nil {
			t.Fatal(err)
		}
	})
}
