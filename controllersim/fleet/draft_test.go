package fleet_test

import (
	"strings"
	"testing"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
	"google.golang.org/protobuf/proto"
)

func webDraft(seed string) *fleet.Draft {
	return fleet.NewDraft(seed).
		Item("timer.config.interval", "60").
		MgmtPort("eth0", 0).
		MgmtPort("eth1", 2, fleet.Static("10.0.0.5", "10.0.0.0/24", "10.0.0.1", "10.0.0.2"),
			fleet.Proxy("proxy.sdn", 9090, ".local")).
		Registry("reg", "registry.sdn:5000").
		HTTPStore("files", "http://files.sdn/images").
		Image(fleet.Image{Name: "web", Store: "reg", URL: "library/web:1"}).
		Image(fleet.Image{Name: "disk", Store: "files", URL: "disk.qcow2"}).
		Volume(fleet.Volume{Name: "web", Image: "web"}).
		Volume(fleet.Volume{Name: "data", Size: 1 << 20}).
		LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"}).
		App(fleet.App{
			Name: "web", Volumes: []string{"web", "data"},
			MountDirs: map[string]string{"data": "/data"},
			Interfaces: []fleet.Interface{{Network: "lan", Rules: []fleet.Rule{
				fleet.MapPort("tcp", 8080, 80), fleet.AllowHost("example.com").Drop(),
				fleet.AllowAll(),
			}}},
		})
}

func build(t *testing.T, d *fleet.Draft) *config.EdgeDevConfig {
	t.Helper()
	cfg, err := d.Build()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDraftBuildsTheSameForTheSameSeed(t *testing.T) {
	a, b := build(t, webDraft("edge")), build(t, webDraft("edge"))
	if !proto.Equal(a, b) {
		t.Errorf("two drafts of one seed differ")
	}
	other := build(t, webDraft("other"))
	app := func(c *config.EdgeDevConfig) string { return c.GetApps()[0].GetUuidandversion().GetUuid() }
	if app(a) == app(other) {
		t.Errorf("another seed gives the same application UUID")
	}
}

func TestDraftWiresThingsByName(t *testing.T) {
	d := webDraft("edge")
	cfg := build(t, d)
	app := cfg.GetApps()[0]
	if app.GetUuidandversion().GetUuid() != d.AppID("web") || !app.GetActivate() ||
		app.GetFixedresources().GetVcpus() != 1 || app.GetFixedresources().GetMemory() != 256<<10 {
		t.Errorf("application: %v", app)
	}
	refs := app.GetVolumeRefList()
	if len(refs) != 2 || refs[0].GetUuid() != d.VolumeID("web") || refs[1].GetMountDir() != "/data" {
		t.Errorf("volumes: %v", refs)
	}
	in := app.GetInterfaces()[0]
	if in.GetNetworkId() != d.InstanceID("lan") || in.GetName() != "eth0" || len(in.GetAcls()) != 3 {
		t.Errorf("interface: %v", in)
	}
	for i, a := range in.GetAcls() {
		if int(a.GetId()) != i+1 {
			t.Errorf("rule %d has number %d", i, a.GetId())
		}
	}
	if m := in.GetAcls()[0]; m.GetMatches()[1].GetValue() != "8080" ||
		!m.GetActions()[0].GetPortmap() || m.GetActions()[0].GetAppPort() != 80 {
		t.Errorf("port map: %v", m)
	}
	if !in.GetAcls()[1].GetActions()[0].GetDrop() {
		t.Errorf("drop: %v", in.GetAcls()[1])
	}
	image := cfg.GetContentInfo()[0]
	if image.GetDsId() != d.StoreID("reg") || image.GetIformat() != config.Format_CONTAINER ||
		cfg.GetContentInfo()[1].GetIformat() != config.Format_QCOW2 {
		t.Errorf("images: %v", cfg.GetContentInfo())
	}
	if o := cfg.GetVolumes()[0].GetOrigin(); o.GetDownloadContentTreeID() != d.ImageID("web") ||
		o.GetType() != config.VolumeContentOriginType_VCOT_DOWNLOAD {
		t.Errorf("volume: %v", o)
	}
	if s := cfg.GetDatastores()[1]; s.GetFqdn() != "http://files.sdn" || s.GetDpath() != "images" {
		t.Errorf("datastore: %v", s)
	}
	eth1 := cfg.GetSystemAdapterList()[1]
	if !eth1.GetUplink() || eth1.GetCost() != 2 || eth1.GetAddr() != "10.0.0.5" ||
		eth1.GetNetworkUUID() != cfg.GetNetworks()[1].GetId() {
		t.Errorf("adapter: %v", eth1)
	}
	if n := cfg.GetNetworks()[1]; n.GetIp().GetDhcp() != evecommon.DHCPType_Static ||
		n.GetEntProxy().GetProxies()[1].GetPort() != 9090 {
		t.Errorf("network: %v", n)
	}
	if len(cfg.GetDeviceIoList()) != 2 || cfg.GetId() != nil || cfg.GetConfigTimestamp() != nil {
		t.Errorf("device I/O: %v", cfg.GetDeviceIoList())
	}
}

func TestDraftLivesOn(t *testing.T) {
	d := webDraft("edge")
	before := build(t, d)
	after := build(t, d.RestartApp("web").PurgeApp("web").Reboot().MgmtPort("eth0", 1).
		Item("timer.config.interval", "5").ActivateApp("web", false))
	app := after.GetApps()[0]
	if app.GetRestart().GetCounter() != 1 || app.GetPurge().GetCounter() != 1 || app.GetActivate() {
		t.Errorf("application: %v", app)
	}
	for i, ref := range app.GetVolumeRefList() {
		if ref.GetGenerationCount() != 1 || after.GetVolumes()[i].GetGenerationCount() != 1 {
			t.Errorf("volume %d is not of a new generation", i)
		}
	}
	if after.GetReboot().GetCounter() != 1 || len(after.GetConfigItems()) != 1 ||
		after.GetConfigItems()[0].GetValue() != "5" || len(after.GetSystemAdapterList()) != 2 ||
		len(after.GetDeviceIoList()) != 2 {
		t.Errorf("configuration: %v", after)
	}
	if before.GetApps()[0].GetRestart() != nil || before.GetReboot() != nil {
		t.Errorf("what was built before has changed")
	}
	again := build(t, d.App(fleet.App{Name: "web", Volumes: []string{"web"}}))
	if again.GetApps()[0].GetRestart().GetCounter() != 1 || len(again.GetApps()) != 1 {
		t.Errorf("replaced application: %v", again.GetApps())
	}
	gone := build(t, d.RemoveApp("web").RemoveVolume("web").RemoveImage("web").RemoveNetwork("lan").
		RemovePort("eth1").RemoveItem("timer.config.interval"))
	if len(gone.GetApps()) != 0 || len(gone.GetVolumes()) != 1 || len(gone.GetContentInfo()) != 1 ||
		len(gone.GetNetworkInstances()) != 0 || len(gone.GetSystemAdapterList()) != 1 ||
		len(gone.GetConfigItems()) != 0 {
		t.Errorf("left over: %v", gone)
	}
	if from := build(t, fleet.DraftFrom("edge", again).RestartApp("web")); from.GetApps()[0].
		GetRestart().GetCounter() != 2 {
		t.Errorf("draft from a configuration: %v", from.GetApps())
	}
}

func TestDraftVLAN(t *testing.T) {
	cfg := build(t, fleet.NewDraft("e").MgmtPort("eth0", 0).VLAN("vlan100", "eth0", 100, 0))
	v := cfg.GetVlans()
	if len(v) != 1 || v[0].GetLowerLayerName() != "eth0" || v[0].GetVlanId() != 100 {
		t.Errorf("VLANs: %v", v)
	}
	if len(cfg.GetDeviceIoList()) != 1 ||
		cfg.GetSystemAdapterList()[1].GetLowerLayerName() != "vlan100" {
		t.Errorf("configuration: %v", cfg)
	}
}

func TestDraftTellsAllThatDoesNotFit(t *testing.T) {
	_, err := fleet.NewDraft("e").
		HTTPStore("s", "ftp://x").
		Image(fleet.Image{Name: "i", Store: "nowhere"}).
		Volume(fleet.Volume{Name: "v", Image: "nothing"}).
		Volume(fleet.Volume{Name: "blank"}).
		App(fleet.App{Name: "a", Volumes: []string{"w"},
			Interfaces: []fleet.Interface{{Network: "lan"}}}).
		RestartApp("b").BaseOS("1", "os", true).Build()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"ftp://x", "nowhere", "nothing", "blank", `"w"`, `"lan"`, `"b"`, `"os"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in: %v", want, err)
		}
	}
}
