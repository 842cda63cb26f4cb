package zedagent

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	eveconfig "github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/host/rig/cloud"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

func reboot(n uint32) func(*eveconfig.EdgeDevConfig) {
	return func(c *eveconfig.EdgeDevConfig) { c.Reboot = &eveconfig.DeviceOpsCmd{Counter: n} }
}

func shutdown(n uint32) func(*eveconfig.EdgeDevConfig) {
	return func(c *eveconfig.EdgeDevConfig) { c.Shutdown = &eveconfig.DeviceOpsCmd{Counter: n} }
}

// nodeagent puts nodeagent's word.
func (b *bench) nodeagent(change func(*node.NodeAgentStatus)) {
	n := node.NodeAgentStatus{Name: "nodeagent", BootReason: node.BootReasonFirst}
	change(&n)
	rig.Put(b.Rig, node.NodeAgent, n)
	b.settle()
}

// again boots the device with the files it has.
func (b *bench) again(reason node.BootReason) {
	b.Reboot()
	b.boot(reason)
}

func TestAPI21_RebootOnce(t *testing.T) {
	b := ready(t)
	b.configure(edge(reboot(7)), "h1")
	if s := b.status(); s.RebootCmd || s.RebootConfigCounter != 7 {
		t.Fatalf("the first counter is not only stored: %+v", s)
	}
	b.configure(edge(reboot(5), func(c *eveconfig.EdgeDevConfig) { c.Volumes = nil }), "h2")
	s := b.status()
	if !s.RebootCmd || s.RequestedBootReason != node.BootReasonRebootCmd ||
		s.RebootConfigCounter != 5 ||
		!strings.HasPrefix(s.RequestedRebootReason, "NORMAL: controller reboot") ||
		s.DeviceState != node.StateRebooting {
		t.Errorf("a counter that goes back does not reboot: %+v", s)
	}
	if rig.Get(b.Rig, app.Configs, appID).Activate {
		t.Error("the application stays active")
	}
	if len(rig.Rows(b.Rig, app.Configs)) != 1 || !strings.Contains(string(b.files[configFile]), "h1") {
		t.Error("the rest of the configuration was not left alone")
	}
	b.Crash()
	b.settle()
	if !b.status().RebootCmd {
		t.Error("a crash forgets the reboot under way")
	}
	b.again(node.BootReasonRebootCmd)
	b.online()
	b.configure(edge(reboot(5)), "h2")
	if s := b.status(); s.RebootCmd || s.RebootConfigCounter != 5 {
		t.Errorf("it reboots again: %+v", s)
	}
	if !rig.Get(b.Rig, app.Configs, appID).Activate {
		t.Error("the application is not active after the reboot")
	}
	b.configure(edge(reboot(6)), "h3")
	if !b.status().RebootCmd {
		t.Error("the next counter does not reboot")
	}
}

// The counter is stored before anybody can see the command: a power cut right then does not
// repeat it.
func TestAPI21_PowerCut(t *testing.T) {
	b := ready(t)
	b.configure(edge(shutdown(1)), "h1")
	b.next()
	left, kept := b.keeper.Answer(b.c.config(edge(shutdown(2)), "h2"))
	rig.Done(b.Rig, web.Send, "config", web.SendRes{Code: 200, Body: left, Kept: kept, WithTLS: true,
		Header: []web.Header{{Name: "Content-Type", Value: eveapi.ContentType}}})
	b.Step()
	if s := b.status(); !s.ShutdownCmd || s.DeviceState != node.StatePreparingPoweroff {
		t.Fatalf("status %+v", s)
	}
	b.again(node.BootReasonPowerFail)
	b.online()
	b.configure(edge(shutdown(2)), "h2")
	if s := b.status(); s.ShutdownCmd || s.ShutdownConfigCounter != 2 {
		t.Errorf("status %+v", s)
	}
	b.configure(edge(), "h3") // without the command the counter is forgotten
	b.configure(edge(shutdown(9)), "h4")
	if s := b.status(); s.ShutdownCmd || s.ShutdownConfigCounter != 9 {
		t.Errorf("status %+v", s)
	}
	b.again(node.BootReasonPowerFail)
	b.online()
	b.configure(edge(shutdown(10)), "h5")
	if !b.status().ShutdownCmd {
		t.Error("a command that was given while the device was off is not carried out")
	}
}

func TestRebootWaitsForTheEndOfAnUpdate(t *testing.T) {
	b := ready(t)
	b.configure(edge(reboot(1)), "h1")
	b.nodeagent(func(n *node.NodeAgentStatus) { n.UpdateInprogress = true })
	b.configure(edge(reboot(2)), "h2")
	if s := b.status(); s.RebootCmd || s.RebootConfigCounter != 2 ||
		s.DeviceState != node.StateBaseOSUpdating {
		t.Errorf("status %+v", s)
	}
	b.next()
	b.answer("config", 503, nil)
	if s := b.status(); s.ConfigGetStatus != node.ConfigGetTemporaryFail ||
		b.led() != node.LedConnected {
		t.Errorf("status %+v", s)
	}
	b.nodeagent(func(*node.NodeAgentStatus) {})
	if !b.status().RebootCmd {
		t.Error("the reboot is forgotten")
	}
}

func maintain(c *eveconfig.EdgeDevConfig) { c.MaintenanceMode = true }

func TestAPI24_LeavingMaintenance(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	b.configure(edge(maintain), "h2")
	b.nodeagent(func(n *node.NodeAgentStatus) {
		n.LocalMaintenanceMode, n.LocalMaintenanceModeReasons = true, []uint8{3}
	})
	if s := b.status(); !s.MaintenanceMode || !slices.Equal(s.MaintenanceModeReasons, []uint8{1}) {
		t.Fatalf("status %+v", s)
	}
	b.configure(edge(maintain, setItem(config.MaintenanceMode, "disabled")), "h3")
	if s := b.status(); s.MaintenanceMode || s.MaintenanceModeReasons != nil {
		t.Errorf("status %+v", s)
	}
	if hash := b.next(); hash != "" {
		t.Errorf("asks with the hash %q after maintenance", hash)
	}
	b.answer("config", 200, b.c.config(edge(), "h4"))
	if s := b.status(); !s.MaintenanceMode || !slices.Equal(s.MaintenanceModeReasons, []uint8{3}) {
		t.Errorf("the local reason does not count: %+v", s)
	}
	b.nodeagent(func(*node.NodeAgentStatus) {})
	if hash := b.next(); hash != "" || b.status().MaintenanceMode {
		t.Errorf("asks with the hash %q after the local reason went, %+v", hash, b.status())
	}
}

func TestAPI25_MaintenanceHoldsBack(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	b.configure(edge(maintain, setItem(config.MetricInterval, "7"),
		func(c *eveconfig.EdgeDevConfig) {
			c.Apps, c.NetworkInstances, c.SystemAdapterList = nil, nil,
				nil
		}), "h2")
	if b.items().Uint(config.MetricInterval) != 7 {
		t.Error("settings do not apply")
	}
	if rig.Get(b.Rig, app.Configs, appID) == nil || len(rig.Rows(b.Rig, network.Instances)) != 1 ||
		rig.Get(b.Rig, network.DPCs.Of("zedagent"), "zedagent").LastError != "" {
		t.Error("applications or networks changed")
	}
	s := b.status()
	if s.DeviceState != node.StateMaintenance || s.ConfigGetStatus != node.ConfigGetSuccess ||
		b.led() != node.LedOnboarded || !s.LastReceivedConfig.After(s.LastProcessedConfig) {
		t.Errorf("status %+v", s)
	}
	if hash := b.next(); hash != "h2" || !bytes.Contains(b.files[configFile], []byte("h2")) {
		t.Errorf("asks with the hash %q", hash)
	}
}

// TestAPI26_SavedConfigurationByBootReason boots without a network, with two saved configurations.
func TestAPI26_SavedConfigurationByBootReason(t *testing.T) {
	other := "66666666-0000-4000-8000-000000000002"
	for reason, want := range map[node.BootReason]string{
		node.BootReasonPowerFail: appID, node.BootReasonRebootCmd: appID, node.BootReasonUpdate: appID,
		node.BootReasonWatchdogHung: other, node.BootReasonFatal: other, node.BootReasonFallback: other,
	} {
		b := newBench(t)
		b.files[certsFile] = b.c.List()
		b.files[configFile] = b.c.config(edge(), "new")
		b.files[configFile+backup] = b.c.config(edge(func(c *eveconfig.EdgeDevConfig) {
			c.Apps[0].Uuidandversion.Uuid = other
		}), "old")
		b.boot(reason)
		if b.items().Uint(config.ConfigInterval) != 20 || !b.items().FromController {
			t.Errorf("%v: settings %+v", reason, b.items())
		}
		if len(rig.Rows(b.Rig, app.Configs)) > 0 {
			t.Errorf("%v: applications before the controller was asked", reason)
		}
		b.network(network.DPCFail)
		rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
		b.settle()
		s := b.status()
		if rig.Get(b.Rig, app.Configs, want) == nil || len(rig.Rows(b.Rig, app.Configs)) != 1 ||
			s.ConfigGetStatus != node.ConfigGetReadSaved || s.DeviceState != node.StateOnline ||
			!b.complete() {
			t.Errorf("%v: status %+v\n%s", reason, s, b.Dump())
		}
	}
}

func TestSavedConfigurationThatIsDamaged(t *testing.T) {
	b := newBench(t)
	b.files[certsFile] = b.c.List()
	good := b.c.config(edge(), "h")
	b.files[configFile], b.files[configFile+backup] = good[:len(good)/2], good
	b.boot(node.BootReasonPowerFail)
	b.network(network.DPCFail)
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	b.settle()
	if b.items().Uint(config.ConfigInterval) != 20 || rig.Get(b.Rig, app.Configs, appID) == nil {
		t.Errorf("the backup is not used: %+v", b.status())
	}
	if !bytes.Equal(b.files[configFile], good) {
		t.Error("the damaged file is not restored")
	}
	// As soon as there is a network, the controller is asked.
	b.online()
	b.certsThen()
	if b.asked("config") == nil {
		t.Error("the controller is not asked when the network comes")
	}
}

func TestSavedCommandsAreNotCarriedOut(t *testing.T) {
	b := ready(t)
	b.configure(edge(reboot(1)), "h1")
	b.files[configFile] = b.c.config(edge(reboot(2)), "h2")
	b.again(node.BootReasonPowerFail)
	b.network(network.DPCFail)
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	b.settle()
	if s := b.status(); s.RebootCmd || s.ConfigGetStatus != node.ConfigGetReadSaved {
		t.Errorf("status %+v", s)
	}
}

// quiet lets time pass with a controller that has nothing new.
func (b *bench) quiet(d time.Duration) {
	b.t.Helper()
	for until := b.Now() + d; b.Now() < until; b.Advance(time.Second) {
		if b.asked("config") != nil {
			b.answer("config", 304, nil)
		}
	}
	b.settle()
}

func TestBackupFollowsWhenTheConfigurationHasRun(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	b.quiet(time.Minute)
	b.wrote = nil
	b.configure(edge(shutdown(1)), "h2")
	b.quiet(599 * time.Second)
	if !slices.Equal(b.wrote, []string{configFile}) {
		t.Errorf("after 599 s: wrote %v", b.wrote)
	}
	b.quiet(2 * time.Second)
	if !slices.Equal(b.wrote, []string{configFile, configFile + backup}) ||
		!bytes.Equal(b.files[configFile], b.files[configFile+backup]) {
		t.Errorf("after 601 s: wrote %v", b.wrote)
	}
}

func TestFullDiskDoesNotStopTheConfiguration(t *testing.T) {
	b := ready(t)
	b.full = true
	b.configure(edge(), "h1")
	if rig.Get(b.Rig, app.Configs, appID) == nil || b.files[configFile] != nil {
		t.Error("the configuration is not in force")
	}
	b.full = false
	b.Advance(time.Minute)
	b.settle()
	if b.files[configFile] == nil {
		t.Error("the configuration is not saved when there is space again")
	}
}

func (b *bench) bootstrap(cfg *eveconfig.EdgeDevConfig, by controller) []byte {
	payload, err := eveapi.Marshal(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	file, err := eveapi.BootstrapFile(by.Seal(payload), by.Certs()[:1])
	if err != nil {
		b.t.Fatal(err)
	}
	return file
}

func TestAPI27_DEV5_Bootstrap(t *testing.T) {
	b := newBench(t)
	made := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	cfg := edge(setItem(config.MetricInterval, "7"), func(c *eveconfig.EdgeDevConfig) {
		c.ConfigTimestamp = timestamppb.New(made)
	})
	b.files[bootstrapFile] = b.bootstrap(cfg, b.c)
	b.files[globalFile] = []byte(`{"timer.metric.interval": "9"}`)
	b.files[keysFile] = []byte("ssh-ed25519 AAAA")
	b.boot(node.BootReasonFirst)
	d := rig.Get(b.Rig, network.DPCs.Of("zedagent"), "bootstrap")
	if d == nil || !d.TimePriority.Equal(made) || d.Ports[0].ConfigSource != network.OriginBootstrap {
		t.Errorf("ports %+v", d)
	}
	if b.items().Uint(config.MetricInterval) != 7 || b.items().Text(config.SSHAuthorizedKeys) != "" ||
		!b.items().Bool(config.UsbAccess) {
		t.Errorf("settings %+v", b.items())
	}
	if len(rig.Rows(b.Rig, app.Configs)) > 0 || b.complete() {
		t.Error("a bootstrap configuration brings applications, or completes tables")
	}
	b.online()
	b.configure(edge(), "h1")
	b.again(node.BootReasonPowerFail)
	if rig.Get(b.Rig, network.DPCs.Of("zedagent"), "bootstrap") != nil ||
		b.items().Uint(config.MetricInterval) != 60 {
		t.Error("the bootstrap configuration is used although there is a saved one")
	}
}

func TestAPI27_DEV5_BadBootstrap(t *testing.T) {
	b := newBench(t)
	foreign := controller{cloud.New(t)}
	foreign.Root = cloud.Issue(t, nil, "foreign root", true)
	foreign.Sign = cloud.Issue(t, foreign.Root, "foreign", false)
	b.files[bootstrapFile] = b.bootstrap(edge(setItem(config.MetricInterval, "7")), foreign)
	b.files[globalFile] = []byte(`{"timer.metric.interval": "9"}`)
	b.boot(node.BootReasonFirst)
	if b.led() != node.LedInvalidBootstrap || !strings.Contains(b.status().Error, "bootstrap") {
		t.Errorf("LED %d, status %+v", b.led(), b.status())
	}
	if b.items().Uint(config.MetricInterval) != 60 || len(rig.Rows(b.Rig,
		network.DPCs.Of("zedagent"))) > 0 {
		t.Errorf("settings %+v", b.items())
	}
}

func TestDEV4_InstallersSettings(t *testing.T) {
	const typed = `{"GlobalSettings": {"debug.enable.ssh": {"ItemType": 3, "StrValue": "key"},
		"network.fallback.any.eth": {"ItemType": 4, "TriStateValue": 2},
		"timer.metric.interval": {"ItemType": 1, "IntValue": 9},
		"app.allow.vnc": {"ItemType": 2, "BoolValue": true}},
		"AgentSettings": {"nim": {"debug.loglevel": {"ItemType": 3, "StrValue": "debug"}}}}`
	const flat = `{"debug.enable.ssh": "key", "timer.metric.interval": 9, "app.allow.vnc": true,
		"network.fallback.any.eth": "enabled", "agent.nim.debug.loglevel": "debug"}`
	for _, global := range []string{typed, flat} {
		b := newBench(t)
		b.files[globalFile], b.files[keysFile] = []byte(global), []byte("other")
		b.boot(node.BootReasonFirst)
		m := b.items()
		if !rig.IsComplete(b.Rig, config.Items) || m.Text(config.SSHAuthorizedKeys) != "key" ||
			m.Uint(config.MetricInterval) != 9 || !m.Bool(config.AllowAppVnc) ||
			!m.Bool(config.FallbackAnyEth) || m.LogLevel("nim", false) != "debug" {
			t.Errorf("%.20s: settings %+v", global, m)
		}
	}
	b := newBench(t)
	b.files[keysFile] = []byte("ssh-ed25519 AAAA")
	b.boot(node.BootReasonFirst)
	if b.items().Text(config.SSHAuthorizedKeys) != "ssh-ed25519 AAAA" {
		t.Errorf("settings %+v", b.items())
	}
	b.online()
	b.configure(edge(setItem(config.SSHAuthorizedKeys, "of the controller")), "h1")
	b.files[globalFile] = []byte(flat)
	b.again(node.BootReasonPowerFail)
	if b.items().Text(config.SSHAuthorizedKeys) != "of the controller" ||
		b.items().Bool(config.UsbAccess) {
		t.Errorf("the saved settings do not win: %+v", b.items())
	}
}

func TestDEV39_DeviceState(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	all := node.NodeAgentStatus{Name: "nodeagent", LocalMaintenanceMode: true, UpdateInprogress: true,
		DeviceReboot: true, DeviceShutdown: true, AllDomainsHalted: true, DevicePoweroff: true}
	rig.Put(b.Rig, node.NodeAgent, all)
	for _, c := range []struct {
		want node.DeviceState
		then func()
	}{
		{node.StateMaintenance, func() { all.LocalMaintenanceMode = false }},
		{node.StateBaseOSUpdating, func() { all.UpdateInprogress = false }},
		{node.StateRebooting, func() { all.DeviceReboot = false }},
		{node.StatePreparedPoweroff, func() { all.AllDomainsHalted = false }},
		{node.StatePreparingPoweroff, func() { all.DeviceShutdown = false }},
		{node.StatePoweringOff, func() { all.DevicePoweroff = false }},
		{node.StateOnline, func() {}},
	} {
		b.settle()
		if got := b.status().DeviceState; got != c.want {
			t.Errorf("state %v, want %v", got, c.want)
		}
		c.then()
		rig.Put(b.Rig, node.NodeAgent, all)
	}
	fresh := newBench(t)
	fresh.boot(node.BootReasonFirst)
	if got := fresh.status().DeviceState; got != node.StateBooting {
		t.Errorf("state %v before any configuration", got)
	}
}

func TestCertificatesFromTheCheckpoint(t *testing.T) {
	b := newBench(t)
	b.files[certsFile], b.files[certsFile+backup] = []byte("garbage"), b.c.List()
	b.boot(node.BootReasonPowerFail)
	if n := len(rig.Rows(b.Rig, security.ControllerCerts.Of("zedagent"))); n != 2 {
		t.Errorf("%d certificates, want 2", n)
	}
	if !bytes.Equal(b.files[certsFile], b.c.List()) {
		t.Error("the damaged checkpoint is not healed")
	}
}

func TestCertificatesOfZedclientAreAdopted(t *testing.T) {
	b := newBench(t)
	b.boot(node.BootReasonFirst)
	rows, err := eveapi.CertRows(b.c.List())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		rig.Put(b.Rig, security.ControllerCerts.Of("zedclient"), r)
	}
	rig.Complete(b.Rig, security.ControllerCerts.Of("zedclient"))
	b.online()
	if b.asked("certs") != nil || len(rig.Rows(b.Rig, security.ControllerCerts.Of("zedagent"))) != 2 {
		t.Error("they are fetched again, or not taken")
	}
	b.Advance(24 * time.Hour)
	if b.asked("certs") == nil {
		t.Error("they are never fetched again")
	}
	rig.Fail(b.Rig, web.Send, "certs", agent.Fault{Code: web.FaultTimeout, Text: "timeout",
		Retry: true})
	b.settle()
	b.Advance(121 * time.Second)
	if b.asked("certs") == nil {
		t.Error("a failed fetch is not repeated after 2 min")
	}
}

// A fetch that went wrong before zedclient's certificates came does not keep the device from asking
// for those that the controller signs with later.
func TestAdoptedCertificatesHealAFailedFetch(t *testing.T) {
	b := newBench(t)
	b.boot(node.BootReasonFirst)
	b.online()
	rig.Fail(b.Rig, web.Send, "certs", agent.Fault{Code: web.FaultTimeout, Text: "timeout",
		Retry: true})
	b.settle()
	rows, err := eveapi.CertRows(b.c.List())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		rig.Put(b.Rig, security.ControllerCerts.Of("zedclient"), r)
	}
	rig.Complete(b.Rig, security.ControllerCerts.Of("zedclient"))
	b.settle()
	b.configure(edge(), "h1")
	b.c.Sign = cloud.Issue(t, b.c.Root, "another signer", false)
	b.next()
	b.answer("config", 200, b.c.config(edge(), "h2"))
	if b.asked("certs") == nil {
		t.Error("the certificates of the new signer are not fetched")
	}
}

func TestHugeConfigurationIsBounded(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	b.next()
	big := edge(setItem("debug.enable.ssh", strings.Repeat("k", 7<<20)))
	start := time.Now()
	b.answer("config", 200, b.c.config(big, "h2"))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("7 MB took %v", took)
	}
	if b.status().ConfigGetStatus != node.ConfigGetSuccess ||
		b.items().Text(config.SSHAuthorizedKeys) != "" {
		t.Errorf("status %+v", b.status())
	}
	b.next()
	b.answer("config", 200, b.c.config(edge(setItem("x", strings.Repeat("k", 10<<20))), "h3"))
	if s := b.status(); s.ConfigGetStatus != node.ConfigGetFail || s.Error == "" ||
		rig.Get(b.Rig, app.Configs, appID) == nil {
		t.Errorf("status %+v", s)
	}
	many := edge(func(c *eveconfig.EdgeDevConfig) {
		for range 3000 {
			c.Apps = append(c.Apps, &eveconfig.AppInstanceConfig{})
		}
	})
	b.configure(many, "h4")
	if n := len(rig.Rows(b.Rig, app.Configs)); n != 900 || !strings.Contains(b.status().Error,
		"beyond") {
		t.Errorf("%d rows, %q", n, b.status().Error)
	}
}

func TestKeysOfFiles(t *testing.T) {
	for _, path := range []string{configFile, configFile + backup, certsFile, rootFile} {
		if keyOf(path) != store.FileKey(path) {
			t.Errorf("%s has the key %q, want %q", path, keyOf(path), store.FileKey(path))
		}
	}
}
