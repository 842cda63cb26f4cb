package report_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/report"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
	"github.com/evetwin/evetwin/core/topics/volume"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestAPP2_StatesAsTheControllerKnowsThem(t *testing.T) {
	for s := entity.INITIAL; s <= entity.REMOTELOADED; s++ {
		switch report.State(s) {
		case info.ZSwState_INVALID, info.ZSwState_RESTARTING, info.ZSwState_PURGING:
			t.Errorf("%v is told as %v", s, report.State(s))
		}
	}
	for s, want := range map[entity.SwState]info.ZSwState{
		entity.LOADED: info.ZSwState_DELIVERED, entity.DOWNLOADING: info.ZSwState_DOWNLOAD_STARTED,
		entity.PAUSED: info.ZSwState_INSTALLED, entity.BROKEN: info.ZSwState_HALTING,
		entity.FAILED: info.ZSwState_ERROR, entity.UNKNOWN: info.ZSwState_RUNNING,
		entity.REMOTELOADED: info.ZSwState_LOADED, entity.HALTED: info.ZSwState_HALTED,
		0: info.ZSwState_INVALID,
	} {
		if got := report.State(s); got != want {
			t.Errorf("%v is %v, want %v", s, got, want)
		}
	}
}

func TestErrorCarriesAllItHas(t *testing.T) {
	if report.Error(&entity.ErrorDescription{}) != nil {
		t.Error("no error became one")
	}
	e := report.Error(&entity.ErrorDescription{Error: "x", ErrorTime: noon,
		ErrorRetryCondition: "later", ErrorEntities: []entity.ErrorEntity{
			{EntityType: entity.Volume, EntityID: "v"}}})
	if e.GetSeverity() != info.Severity_SEVERITY_ERROR || !e.GetTimestamp().AsTime().Equal(noon) ||
		e.GetRetryCondition() != "later" || e.GetEntities()[0].GetEntity() != info.Entity_ENTITY_VOLUME {
		t.Errorf("%v", e)
	}
}

func TestAppHasRoutersOfItsNetworkInstance(t *testing.T) {
	s := app.AppInstanceStatus{UUIDandVersion: entity.UUIDandVersion{UUID: "a"},
		State: entity.RUNNING, BootTime: noon,
		VolumeRefStatusList: []volume.VolumeRefStatus{{VolumeID: "v"}}}
	n := network.AppNetAdapterStatus{IPv4Up: true,
		AssignedAddresses: []netip.Addr{netip.MustParseAddr("10.1.0.2")}}
	n.Network, n.Name, n.Vif, n.Mac = "ni", "eth0", "nbu1x1", "02:00:00:00:00:01"
	s.AppNetAdapters = []network.AppNetAdapterStatus{n, {}}
	ni := &network.NetworkInstanceStatus{BridgeIPAddr: netip.MustParseAddr("10.1.0.1")}
	ni.Gateway = netip.MustParseAddr("10.1.0.1")
	adapters := &network.AssignableAdapters{IoBundleList: []network.IoBundle{
		{Phylabel: "eth1", Logicallabel: "e1", AssignmentGroup: "g", UsedByUUID: "a", MacAddr: "m1"},
		{Phylabel: "eth2", Logicallabel: "e2", AssignmentGroup: "g", UsedByUUID: "a", MacAddr: "m2"},
		{Phylabel: "eth3", Logicallabel: "e3", AssignmentGroup: "h", UsedByUUID: "b"}}}
	a := report.App(&s, adapters, func(id string) *network.NetworkInstanceStatus {
		if id == "ni" {
			return ni
		}
		return nil
	}).GetAinfo()
	if x := a.GetNetwork()[0]; x.GetLocalName() != "nbu1x1" || x.GetDevName() != "eth0" ||
		x.GetIPAddrs()[0] != "10.1.0.2" || !x.GetIpv4Up() || x.GetDefaultRouters()[0] != "10.1.0.1" ||
		x.GetDns().GetDNSservers()[0] != "10.1.0.1" {
		t.Errorf("network %v", x)
	}
	if x := a.GetAssignedAdapters(); len(x) != 1 || len(x[0].GetMembers()) != 2 ||
		len(x[0].GetIoAddressList()) != 2 {
		t.Errorf("adapters %v", x)
	}
	if x := a.GetVolumeRefs(); len(x) != 1 || x[0] != "v" {
		t.Errorf("volumes %v", x)
	}
}

func TestInstanceStates(t *testing.T) {
	for _, c := range []struct {
		s    network.NetworkInstanceStatus
		want info.ZNetworkInstanceState
	}{
		{network.NetworkInstanceStatus{}, 0},
		{network.NetworkInstanceStatus{ChangeInProgress: true, Activated: true},
			info.ZNetworkInstanceState_ZNETINST_STATE_INIT},
		{network.NetworkInstanceStatus{Activated: true},
			info.ZNetworkInstanceState_ZNETINST_STATE_ONLINE},
		{network.NetworkInstanceStatus{Activated: true,
			NetworkErr: entity.ErrorDescription{Error: "x"}},
			info.ZNetworkInstanceState_ZNETINST_STATE_ERROR},
	} {
		if got := report.Instance(&c.s).GetNiinfo().GetState(); got != c.want {
			t.Errorf("%+v is %v", c.s, got)
		}
	}
}

func TestPortsInUseAreReportedAsTheyAre(t *testing.T) {
	wish := network.NetworkPortConfig{IfName: "eth0", Logicallabel: "e0", IsMgmt: true, Cost: 3}
	wish.AddrSubnet, wish.Dhcp = "10.0.0.7/24", network.DhcpStatic
	live := network.NetworkPortStatus{IfName: "eth0", Logicallabel: "e0", IsMgmt: true, Up: true,
		AddrInfoList: []netip.Prefix{netip.MustParsePrefix("10.0.0.9/24")},
		NtpServers:   []string{"n1", "n2"}}
	live.LastError, live.LastFailed = "no answer", noon
	in := report.DeviceInput{
		PortConfigs: &network.DevicePortConfigList{CurrentIndex: 1,
			PortConfigList: []network.DevicePortConfig{
				{DPCKey: "zedagent", Ports: []network.NetworkPortConfig{wish}},
				{DPCKey: "lastresort", Ports: []network.NetworkPortConfig{wish}}}},
		Network: &network.DeviceNetworkStatus{DPCKey: "lastresort",
			Ports: []network.NetworkPortStatus{live}},
	}
	sa := report.Device(&in).GetDinfo().GetSystemAdapter()
	a, b := sa.GetStatus()[0].GetPorts()[0], sa.GetStatus()[1].GetPorts()[0]
	if sa.GetCurrentIndex() != 1 || a.GetUp() || a.GetSubnet() != "10.0.0.0/24" || a.GetCost() != 3 ||
		a.GetIPAddrs()[0] != "10.0.0.7" {
		t.Errorf("not in use: %v", a)
	}
	if !b.GetUp() || b.GetIPAddrs()[0] != "10.0.0.9" || b.GetErr().GetDescription() != "no answer" ||
		b.GetNtpServer() != "n1" || len(b.GetMoreNtpServers()) != 1 {
		t.Errorf("in use: %v", b)
	}
	in.PortConfigs.CurrentIndex = -1
	if got := report.Device(&in).GetDinfo().GetSystemAdapter().GetCurrentIndex(); got != 0 {
		t.Errorf("no configuration in use has the index %d", got)
	}
}

func TestDeviceLife(t *testing.T) {
	d := report.Device(&report.DeviceInput{
		NodeAgent: &node.NodeAgentStatus{BootReason: node.BootReasonParseFail, RestartCounter: 4,
			RebootTime: noon, DeviceReboot: true},
		ZedAgent: &node.ZedAgentStatus{DeviceState: node.StateMaintenance, MaintenanceMode: true,
			MaintenanceModeReasons: []uint8{3}, RebootConfigCounter: 7, ErrorAndTime: entity.ErrorAndTime{
				ErrorDescription: entity.ErrorDescription{Error: "wrongly signed"}}},
		Tpm: &security.TpmStatus{Kind: "swtpm", InTPM: true, Vendor: "IBM"},
		Items: &config.ConfigItemValueMap{Values: []config.Value{
			{Key: config.ConfigInterval, Value: "20"}}},
		ItemStatus: &config.ItemStatus{Errors: []config.ItemError{{Key: "no.such", Error: "unknown"}}},
	}).GetDinfo()
	if d.GetLastBootReason() != info.BootReason_BOOT_REASON_PARSE_FAIL || !d.GetRebootInprogress() ||
		d.GetRestartCounter() != 4 || d.GetRebootConfigCounter() != 7 {
		t.Errorf("reboot %v", d)
	}
	if d.GetState() != info.ZDeviceState_ZDEVICE_STATE_MAINTENANCE_MODE || !d.GetMaintenanceMode() ||
		d.GetMaintenanceModeReason() !=
			info.MaintenanceModeReason_MAINTENANCE_MODE_REASON_LOW_DISK_SPACE {
		t.Errorf("maintenance %v", d)
	}
	if d.GetHSMStatus() != info.HwSecurityModuleStatus_ENABLED || d.GetHSMInfo() != "IBM" {
		t.Errorf("module %v %q", d.GetHSMStatus(), d.GetHSMInfo())
	}
	items := d.GetConfigItemStatus().GetConfigItems()
	if items[config.ConfigInterval].GetValue() != "20" || items["no.such"].GetError() != "unknown" ||
		items["config"].GetError() != "wrongly signed" {
		t.Errorf("items %v", items)
	}
}

func TestBodyTellsNewsFromTime(t *testing.T) {
	body := func(state entity.SwState, at time.Time) ([]byte, uint64) {
		m := report.App(&app.AppInstanceStatus{State: state}, nil, nil)
		b, news, err := report.Body(m, "dev", at)
		if err != nil {
			t.Fatal(err)
		}
		return b, news
	}
	b1, n1 := body(entity.RUNNING, noon)
	b2, n2 := body(entity.RUNNING, noon.Add(time.Hour))
	_, n3 := body(entity.HALTED, noon)
	if n1 != n2 || n1 == n3 || string(b1) == string(b2) {
		t.Errorf("news %x %x %x", n1, n2, n3)
	}
	m, err := eveapi.ParseInfo(b2)
	if err != nil || !m.GetAtTimeStamp().AsTime().Equal(noon.Add(time.Hour)) || m.GetDevId() != "dev" {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := report.Gone(report.KindDevice, "dev"); err == nil {
		t.Error("a device ended")
	}
}
