package parse

import (
	"testing"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/eveapi"
	items "github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
)

// checkRow fails for a row that its topic would not take.
func checkRow(t *testing.T, key string, row any, limit int) {
	t.Helper()
	if key == "" || len(key) > 250 {
		t.Fatalf("key of %d bytes", len(key))
	}
	for i := range len(key) {
		if key[i] == '/' {
			t.Fatalf("key %q", key)
		}
	}
	if n := weigh(row, 1<<30); n > limit+(8<<10) {
		t.Fatalf("row %q of %d bytes, limit %d", key, n, limit)
	}
}

// parseAll runs every function of the package and checks what comes out.
func parseAll(t *testing.T, cfg *config.EdgeDevConfig) {
	t.Helper()
	d := portsOf(cfg)
	checkRow(t, d.Key(), d, MaxRow)
	list, _ := DeviceIO(cfg.GetDeviceIoList())
	checkRow(t, list.Key(), list, MaxRow)
	nis, _ := Instances(cfg.GetNetworkInstances(), at)
	for _, r := range nis {
		checkRow(t, r.Key(), r, MaxRow)
	}
	apps, _ := Apps(AppInput{Apps: cfg.GetApps(), Instances: nis})
	for _, r := range apps {
		checkRow(t, r.Key(), r, MaxApp)
	}
	trees, _ := ContentTrees(cfg.GetContentInfo())
	for _, r := range trees {
		checkRow(t, r.Key(), r, MaxRow)
	}
	stores, _ := Datastores(cfg.GetDatastores())
	for _, r := range stores {
		checkRow(t, r.Key(), r, MaxRow)
	}
	vols, _ := Volumes(cfg.GetVolumes(), apps)
	for _, r := range vols {
		checkRow(t, r.Key(), r, MaxRow)
	}
	b := ReadBase(cfg)
	checkRow(t, b.Names.Key(), b, MaxRow)
	m, errs := items.Parse(Items(cfg.GetConfigItems()), nil, true)
	if len(errs) > items.MaxErrors {
		t.Fatalf("%d errors of settings", len(errs))
	}
	checkRow(t, m.Key(), m, 200<<10)
}

func FuzzParse(f *testing.F) {
	full := edge(func(c *config.EdgeDevConfig) {
		c.SystemAdapterList = []*config.SystemAdapter{sys("port0", dhcpNet, true), sys("v", staticNet,
			false)}
		c.Vlans = []*config.VlanAdapter{{Logicallabel: "v", LowerLayerName: "b", VlanId: 3}}
		c.Bonds = []*config.BondAdapter{{Logicallabel: "b", LowerLayerNames: []string{"port1"}}}
		c.NetworkInstances = []*config.NetworkInstanceConfig{
			local(func(*config.NetworkInstanceConfig) {})}
		c.Apps = []*config.AppInstanceConfig{{Interfaces: []*config.NetworkAdapter{{NetworkId: id1}}}}
		c.Volumes = []*config.Volume{{Uuid: id1}}
		c.ContentInfo = []*config.ContentTree{{Uuid: id1}}
		c.Datastores = []*config.DatastoreConfig{{Id: id1, Password: "x"}}
		c.ConfigItems = []*config.ConfigItem{{Key: "timer.config.interval", Value: "7"}}
	})
	b, err := eveapi.Marshal(full)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg := &config.EdgeDevConfig{}
		if eveapi.Unmarshal(data, cfg) == nil {
			parseAll(t, cfg)
		}
	})
}

func TestBootstrapPortsSaySo(t *testing.T) {
	c := edge(func(c *config.EdgeDevConfig) {
		c.SystemAdapterList = []*config.SystemAdapter{sys("port0", dhcpNet, true)}
	})
	list, _ := DeviceIO(c.GetDeviceIoList())
	ios := NewAdapters(list)
	d := Ports(PortInput{Adapters: c.SystemAdapterList, IOs: ios, Networks: Networks(c.Networks),
		Links: MakeLinks(nil, nil, ios), Key: "bootstrap", Source: network.OriginBootstrap, At: at})
	if d.Key() != "bootstrap" || d.Ports[0].ConfigSource != network.OriginBootstrap {
		t.Errorf("%+v", d)
	}
}
