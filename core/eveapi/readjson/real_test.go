package readjson_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/eveapi/parse"
	"github.com/evetwin/evetwin/core/eveapi/readjson"
	items "github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
)

// realFiles lists real input below a folder that is no part of the repository.
func realFiles(t *testing.T, pattern string) []string {
	t.Helper()
	root := os.Getenv("EVETWIN_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no real input: EVETWIN_DATA is not set and %s is not there", root)
	}
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s below %s: %v", pattern, root, err)
	}
	return files
}

// TestRealModels reads device models of real hardware; every one is fit to be a device.
func TestRealModels(t *testing.T) {
	for _, f := range realFiles(t, filepath.Join("models", "*.json")) {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := readjson.ReadModel(f, data)
		if err != nil {
			t.Error(err)
			continue
		}
		list, errs := parse.DeviceIO(m.IOs())
		if len(errs) > 0 || len(list.AdapterList) != len(m.Members) || len(m.Unknown) > 0 {
			t.Errorf("%s: %d of %d adapters, errors %v, unknown %v", f, len(list.AdapterList),
				len(m.Members), errs, m.Unknown)
		}
	}
}

// TestRealConfigs reads configurations of real deployments and expects of them what a device shows.
func TestRealConfigs(t *testing.T) {
	ports := map[string]int{"explicit-proxy": 1, "ipv6-network": 1, "local-ni-multiple-ports": 4,
		"multiple-uplinks": 3, "static-ips": 1, "vlan-subinterfaces": 3, "configs": 1}
	files := append(realFiles(t, filepath.Join("networks", "*", "device-config.json")),
		realFiles(t, filepath.Join("configs", "*.json"))...)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		cfg, unknown, err := readjson.ReadConfigJSON(f, data)
		if err != nil {
			t.Error(err)
			continue
		}
		dir := filepath.Base(filepath.Dir(f))
		if wantUnknown := dir == "configs"; (len(unknown) > 0) != wantUnknown {
			t.Errorf("%s: unknown fields %v", f, unknown)
		}
		checkReal(t, f, cfg, ports[dir])
	}
}

func checkReal(t *testing.T, f string, cfg *config.EdgeDevConfig, ports int) {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	list, errs := parse.DeviceIO(cfg.GetDeviceIoList())
	ios := parse.NewAdapters(list)
	dpc := parse.Ports(parse.PortInput{Adapters: cfg.GetSystemAdapterList(), IOs: ios,
		Networks: parse.Networks(cfg.GetNetworks()),
		Links:    parse.MakeLinks(cfg.GetBonds(), cfg.GetVlans(), ios),
		Key:      "zedagent", Source: network.OriginController, At: at})
	if len(errs) > 0 || dpc.LastError != "" || len(dpc.Ports) != ports {
		t.Errorf("%s: %d ports, want %d; errors %v %q", f, len(dpc.Ports), ports, errs, dpc.LastError)
	}
	for _, p := range dpc.Ports {
		if p.InvalidConfig {
			t.Errorf("%s: port %s: %s", f, p.Logicallabel, p.LastError)
		}
	}
	instances, _ := parse.Instances(cfg.GetNetworkInstances(), at)
	for i := range instances {
		if instances[i].HasError() {
			t.Errorf("%s: network instance %s: %s", f, instances[i].DisplayName, instances[i].Error)
		}
	}
	apps, _ := parse.Apps(parse.AppInput{Apps: cfg.GetApps(), Instances: instances})
	for _, a := range apps {
		if len(a.Errors) > 0 {
			t.Errorf("%s: application %s: %v", f, a.DisplayName, a.Errors)
		}
	}
	volumes, _ := parse.Volumes(cfg.GetVolumes(), apps)
	for _, v := range volumes {
		if v.ParseError != "" || v.HasNoAppReferences {
			t.Errorf("%s: volume %+v", f, v)
		}
	}
	trees, _ := parse.ContentTrees(cfg.GetContentInfo())
	stores, _ := parse.Datastores(cfg.GetDatastores())
	for i := range trees {
		if trees[i].ParseError != "" {
			t.Errorf("%s: content tree: %s", f, trees[i].ParseError)
		}
	}
	for i := range stores {
		if stores[i].Error != "" {
			t.Errorf("%s: datastore: %s", f, stores[i].Error)
		}
	}
	if _, errs := items.Parse(parse.Items(cfg.GetConfigItems()), nil, true); len(errs) > 0 {
		t.Errorf("%s: settings %v", f, errs)
	}
}
