package zedagent

import (
	"strings"
	"testing"
	"time"

	eveconfig "github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/host/rig/cloud"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
	"github.com/evetwin/evetwin/core/topics/volume"
)

const (
	netID  = "11111111-0000-4000-8000-000000000001"
	niID   = "22222222-0000-4000-8000-000000000001"
	appID  = "66666666-0000-4000-8000-000000000001"
	treeID = "44444444-0000-4000-8000-000000000001"
	volID  = "55555555-0000-4000-8000-000000000001"
	dsID   = "33333333-0000-4000-8000-000000000001"
)

// edge is a configuration with one object of each kind.
func edge(change ...func(*eveconfig.EdgeDevConfig)) *eveconfig.EdgeDevConfig {
	id := func(s string) *eveconfig.UUIDandVersion {
		return &eveconfig.UUIDandVersion{Uuid: s, Version: "1"}
	}
	c := &eveconfig.EdgeDevConfig{Id: id(deviceID), DeviceName: "edge",
		DeviceIoList: []*eveconfig.PhysicalIO{{Ptype: 1, Phylabel: "eth0", Usage: 1,
			Phyaddrs: map[string]string{"Ifname": "eth0"}}},
		Networks: []*eveconfig.NetworkConfig{{Id: netID, Type: 4, Ip: &evecommon.Ipspec{Dhcp: 4}}},
		SystemAdapterList: []*eveconfig.SystemAdapter{
			{Name: "eth0", Uplink: true, NetworkUUID: netID}},
		NetworkInstances: []*eveconfig.NetworkInstanceConfig{{Uuidandversion: id(niID), InstType: 2,
			Activate: true, IpType: 1, Ip: &evecommon.Ipspec{Subnet: "10.1.0.0/24"}}},
		Datastores: []*eveconfig.DatastoreConfig{{Id: dsID, DType: 5, Fqdn: "docker://r.example"}},
		ContentInfo: []*eveconfig.ContentTree{
			{Uuid: treeID, DsId: dsID, URL: "a:1", Iformat: 8}},
		Volumes: []*eveconfig.Volume{{Uuid: volID, Origin: &eveconfig.VolumeContentOrigin{Type: 2,
			DownloadContentTreeID: treeID}}},
		Apps: []*eveconfig.AppInstanceConfig{{Uuidandversion: id(appID), Activate: true,
			Fixedresources: &eveconfig.VmConfig{Memory: 1024, Vcpus: 1},
			Interfaces:     []*eveconfig.NetworkAdapter{{Name: "eth0", NetworkId: niID}},
			VolumeRefList:  []*eveconfig.VolumeRef{{Uuid: volID}}}},
		ConfigItems: []*eveconfig.ConfigItem{{Key: config.ConfigInterval, Value: "20"}},
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func setItem(key, value string) func(*eveconfig.EdgeDevConfig) {
	return func(c *eveconfig.EdgeDevConfig) {
		c.ConfigItems = append(c.ConfigItems, &eveconfig.ConfigItem{Key: key, Value: value})
	}
}

// complete tells whether the tables of the configuration are declared whole; all or none must be.
func (b *bench) complete() bool {
	b.t.Helper()
	all := []bool{rig.IsComplete(b.Rig, app.Configs), rig.IsComplete(b.Rig, volume.Configs),
		rig.IsComplete(b.Rig, content.Trees), rig.IsComplete(b.Rig, content.Datastores),
		rig.IsComplete(b.Rig, network.Instances), rig.IsComplete(b.Rig, network.PhysicalIO),
		rig.IsComplete(b.Rig, network.DPCs.Of("zedagent"))}
	for _, c := range all {
		if c != all[0] {
			b.t.Errorf("some tables are complete and others are not: %v", all)
		}
	}
	return all[0]
}

func TestConfigurationBecomesRows(t *testing.T) {
	b := ready(t)
	if b.complete() || b.status().DeviceState != node.StateBooting {
		t.Errorf("before any configuration: %+v", b.status())
	}
	if hash := b.next(); hash != "" {
		t.Errorf("the first request has the hash %q", hash)
	}
	b.configure(edge(), "h1")
	s := b.status()
	if !b.complete() || s.ConfigGetStatus != node.ConfigGetSuccess || b.led() != node.LedOnboarded ||
		s.DeviceState != node.StateOnline || s.ConfigVersion != "1" || s.Error != "" ||
		!s.LastReceivedConfig.Equal(b.Wall()) || !s.LastProcessedConfig.Equal(b.Wall()) {
		t.Errorf("status %+v, LED %d", s, b.led())
	}
	d := rig.Get(b.Rig, network.DPCs.Of("zedagent"), "zedagent")
	if d == nil || len(d.Ports) != 1 || d.Ports[0].InvalidConfig || !d.TimePriority.Equal(b.Wall()) {
		t.Errorf("ports %+v", d)
	}
	a := rig.Get(b.Rig, app.Configs, appID)
	if a == nil || !a.Activate || len(a.Errors) > 0 || a.AppNetAdapterList[0].Network != niID {
		t.Errorf("application %+v", a)
	}
	if rig.Get(b.Rig, volume.Configs, volID+"#0") == nil || rig.Get(b.Rig, content.Trees,
		treeID) == nil ||
		rig.Get(b.Rig, content.Datastores, dsID) == nil || rig.Get(b.Rig, network.Instances,
		niID) == nil ||
		len(rig.Get(b.Rig, network.PhysicalIO, "zedagent").AdapterList) != 1 ||
		rig.Get(b.Rig, node.Info, entity.Global).DeviceName != "edge" {
		t.Error(b.Dump())
	}
	if string(b.files[configFile]) != string(b.c.config(edge(), "h1")) ||
		string(b.files[configFile+backup]) != string(b.files[configFile]) {
		t.Errorf("saved %v", b.wrote)
	}
	if hash := b.next(); hash != "h1" {
		t.Errorf("the next request has the hash %q", hash)
	}
}

func TestAPI5_BrokenEnvelope(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	saved := string(b.files[configFile])
	for i, at := range []int{40, -3} { // in the payload, in the signature
		b.next()
		body := b.c.config(edge(func(c *eveconfig.EdgeDevConfig) { c.Apps = nil }), "h2")
		if at < 0 {
			at += len(body)
		}
		body[at] ^= 4
		b.answer("config", 200, body)
		if b.led() != node.LedInvalidAuthContainer || b.status().ConfigGetStatus != node.ConfigGetFail ||
			b.status().Error == "" {
			t.Errorf("%d: LED %d, status %+v", i, b.led(), b.status())
		}
		if rig.Get(b.Rig, app.Configs, appID) == nil || string(b.files[configFile]) != saved {
			t.Errorf("%d: the broken configuration was taken", i)
		}
	}
	if hash := b.next(); hash != "h1" {
		t.Errorf("asks with the hash %q", hash)
	}
}

func TestAPI8_RotatedSigningCert(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	b.c.Sign = cloud.Issue(t, b.c.Root, "another signer", false)
	b.next()
	b.answer("config", 200, b.c.config(edge(func(c *eveconfig.EdgeDevConfig) { c.Apps = nil }), "h2"))
	if b.asked("certs") == nil || rig.Get(b.Rig, app.Configs, appID) == nil {
		t.Fatal("no certificates are fetched, or the configuration was believed")
	}
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	if b.asked("config") == nil {
		t.Fatal("the new certificates do not lead to another request")
	}
	b.answer("config", 200, b.c.config(edge(func(c *eveconfig.EdgeDevConfig) { c.Apps = nil }), "h2"))
	if rig.Get(b.Rig, app.Configs, appID) != nil || b.led() != node.LedOnboarded {
		t.Errorf("the new configuration is not in force: %+v", b.status())
	}
	if string(b.files[certsFile]) != string(b.c.List()) {
		t.Error("the new certificates are not saved")
	}
	rows := rig.Rows(b.Rig, security.ControllerCerts.Of("zedagent"))
	if len(rows) != 2 {
		t.Errorf("%d certificates in force, want 2", len(rows))
	}
}

// A controller that signs with a certificate it does not list is asked for its list no faster
// than for configurations.
func TestCertMissDoesNotSpin(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	list := b.c.Seal(b.c.List())
	b.c.Sign = cloud.Issue(t, b.c.Root, "another signer", false)
	fetched := 0
	for until := b.Now() + 5*time.Minute; b.Now() < until; b.Advance(time.Second) {
		if b.asked("certs") != nil {
			fetched++
			b.answer("certs", 200, list)
		}
		if b.asked("config") != nil {
			b.answer("config", 200, b.c.config(edge(), "h2"))
		}
	}
	if fetched < 5 || fetched > 60 {
		t.Errorf("%d fetches of certificates in 5 min", fetched)
	}
}

func TestAPI9_CertHashFetchesOnce(t *testing.T) {
	b := ready(t)
	fetched := 0
	hash := func(h string) *eveconfig.EdgeDevConfig {
		return edge(func(c *eveconfig.EdgeDevConfig) { c.ControllercertConfighash = h })
	}
	for i, h := range []string{"one", "one", "two", "two", "two"} {
		for b.asked("config") == nil {
			b.Advance(time.Second)
			if b.asked("certs") != nil {
				fetched++
				b.certsThen()
			}
		}
		b.answer("config", 200, b.c.config(hash(h), "h"+h+string(rune('0'+i))))
		if want := 0; i < 2 && fetched != want {
			t.Errorf("%d fetches while nothing changed", fetched)
		}
	}
	if fetched != 1 {
		t.Errorf("%d fetches after one change", fetched)
	}
}

func TestAPI11_ForbiddenIsShown(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	b.next()
	b.answer("config", 403, nil)
	if s := b.status(); s.ConfigGetStatus != node.ConfigGetFail || !strings.Contains(s.Error, "403") {
		t.Errorf("status %+v", s)
	}
	b.next()
	b.answer("config", 304, nil)
	if s := b.status(); s.Error != "" || s.ConfigGetStatus != node.ConfigGetSuccess {
		t.Errorf("status %+v", s)
	}
}

func TestUnknownDeviceIsDoubtedEveryTenMinutes(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	checks := func() int {
		if c := rig.Get(b.Rig, node.UUIDChecks, entity.Global); c != nil {
			return c.Count
		}
		return 0
	}
	for b.Now() < 19*time.Minute {
		b.next()
		b.answer("config", 400, nil)
	}
	if checks() != 2 || b.led() != node.LedConnected {
		t.Errorf("%d doubts in 19 min, LED %d", checks(), b.led())
	}
}

// What is no configuration, or not this device's, leaves the one in force as it is.
func TestConfigurationOfNobody(t *testing.T) {
	other := "77777777-0000-4000-8000-000000000001"
	for want, cfg := range map[string]*eveconfig.EdgeDevConfig{
		"has no configuration": {ControllercertConfighash: "abc"},
		other + `", not for`: edge(func(c *eveconfig.EdgeDevConfig) {
			c.Id.Uuid, c.Apps = other, nil
		}),
	} {
		b := ready(t)
		b.configure(edge(), "h1")
		b.next()
		b.answer("config", 200, b.c.config(cfg, "h2"))
		if st := b.status(); !strings.Contains(st.Error, want) ||
			st.ConfigGetStatus != node.ConfigGetFail {
			t.Errorf("%s: status %+v", want, st)
		}
		if rig.Get(b.Rig, app.Configs, appID) == nil {
			t.Errorf("%s: the application is gone", want)
		}
		if hash := b.next(); hash != "h1" {
			t.Errorf("%s: asks with the hash %q", want, hash)
		}
		if c := rig.Get(b.Rig, node.UUIDChecks, entity.Global); (c != nil) != (cfg.Id != nil) {
			t.Errorf("%s: doubts %+v", want, c)
		}
	}
	b := ready(t)
	b.configure(edge(), "h1")
	b.configure(&eveconfig.EdgeDevConfig{Id: &eveconfig.UUIDandVersion{
		Uuid: strings.ToUpper(deviceID)}}, "h2")
	if rig.Get(b.Rig, app.Configs, appID) != nil {
		t.Error("a configuration without anything in it is not taken")
	}
}

func TestAPI17_WrongContentType(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	for _, typ := range []string{"text/html", ""} {
		b.next()
		b.reply("config", web.SendRes{Code: 200, Header: []web.Header{{Name: "Content-Type", Value: typ}},
			Body: b.c.config(edge(func(c *eveconfig.EdgeDevConfig) { c.Apps = nil }), "h2")})
		if b.led() != node.LedConnected || rig.Get(b.Rig, app.Configs, appID) == nil ||
			b.status().ConfigGetStatus != node.ConfigGetFail {
			t.Errorf("%q: LED %d, status %+v", typ, b.led(), b.status())
		}
		b.next()
		b.reply("config", web.SendRes{Code: 200, Body: []byte("<html>"),
			Header: []web.Header{{Name: "Content-Type", Value: typ}}})
		if b.led() != node.LedConnected {
			t.Errorf("%q and no envelope: LED %d", typ, b.led())
		}
		b.next()
		b.answer("config", 304, nil)
	}
}

func TestAPI18_Unchanged(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	before := b.status()
	b.next()
	rig.Fail(b.Rig, web.Send, "config", agent.Fault{Code: web.FaultTimeout, Text: "timeout",
		Retry: true})
	b.settle()
	if b.led() != node.LedConnecting || b.status().ConfigGetStatus != node.ConfigGetFail {
		t.Errorf("unreachable: LED %d, status %+v", b.led(), b.status())
	}
	for _, unchanged := range []func(){
		func() { b.answer("config", 304, nil) },
		func() { b.answer("config", 200, b.c.Seal(eveapi.ConfigResponseBody(nil, "", "h1"))) },
		func() { b.answer("config", 200, b.c.config(edge(), "h1")) },
	} {
		b.next()
		unchanged()
		s := b.status()
		if b.led() != node.LedOnboarded || s.ConfigGetStatus != node.ConfigGetSuccess || s.Error != "" ||
			!s.LastReceivedConfig.Equal(before.LastReceivedConfig) {
			t.Errorf("LED %d, status %+v", b.led(), s)
		}
	}
}

func TestAPI19_UnchangedSectionsStay(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	revs := func() [4]uint64 {
		return [4]uint64{rig.Rev(b.Rig, network.DPCs.Of("zedagent"), "zedagent"),
			rig.Rev(b.Rig, network.Instances, niID), rig.Rev(b.Rig, content.Trees, treeID),
			rig.Rev(b.Rig, volume.Configs, volID+"#0")}
	}
	before := revs()
	b.configure(edge(func(c *eveconfig.EdgeDevConfig) {
		c.Apps, c.DeviceName = nil, "renamed"
		c.Datastores = append(c.Datastores, &eveconfig.DatastoreConfig{Id: niID, DType: 1})
	}), "h2")
	after := revs()
	if before[0] != after[0] || before[1] != after[1] || before[2] != after[2] {
		t.Errorf("revisions went from %v to %v", before, after)
	}
	if rig.Get(b.Rig, app.Configs, appID) != nil || len(rig.Rows(b.Rig, content.Datastores)) != 2 {
		t.Error("a removed application stays, or a new datastore is missing")
	}
	if v := rig.Get(b.Rig, volume.Configs, volID+"#0"); !v.HasNoAppReferences {
		t.Errorf("volume %+v", v)
	}
	// A crash forgets the checksums; the same rows are no news.
	b.Crash()
	b.configure(edge(), "h3")
	if got := revs(); got[0] != before[0] || got[1] != before[1] {
		t.Errorf("revisions went from %v to %v after a crash", before, got)
	}
}

func TestAPI20_Replay(t *testing.T) {
	b := ready(t)
	stamped := func(min int, change ...func(*eveconfig.EdgeDevConfig)) *eveconfig.EdgeDevConfig {
		c := edge(change...)
		c.ConfigTimestamp = timestamppb.New(time.Date(2026, 1, 1, 0, min, 0, 0, time.UTC))
		return c
	}
	b.configure(stamped(5), "h1")
	none := func(c *eveconfig.EdgeDevConfig) { c.Apps, c.ConfigItems = nil, nil }
	b.configure(stamped(4, none), "h0")
	if s := b.status(); rig.Get(b.Rig, app.Configs, appID) == nil || !strings.Contains(s.Error,
		"older") ||
		b.items().Uint(config.ConfigInterval) != 20 {
		t.Errorf("a replayed configuration was taken: %+v", s)
	}
	if hash := b.next(); hash != "h1" {
		t.Errorf("asks with the hash %q", hash)
	}
	b.Crash()
	b.configure(stamped(4, none), "h0")
	if rig.Get(b.Rig, app.Configs, appID) == nil {
		t.Error("a replayed configuration was taken after a crash")
	}
	b.configure(stamped(6, none), "h2")
	if rig.Get(b.Rig, app.Configs, appID) != nil || b.status().Error != "" {
		t.Errorf("a newer configuration was refused: %+v", b.status())
	}
}

func TestAPI28_API30_SettingsOfTheDevice(t *testing.T) {
	b := newBench(t)
	b.boot(node.BootReasonFirst)
	if !b.items().Bool(config.UsbAccess) || !rig.IsComplete(b.Rig, config.Items) {
		t.Error("before a controller there is no USB")
	}
	b.online()
	b.configure(edge(setItem("bogus", "1"), setItem(config.MetricInterval, "7")), "h1")
	if b.items().Bool(config.UsbAccess) {
		t.Error("a controller that says nothing leaves USB on")
	}
	b.configure(edge(setItem(config.MetricInterval, "1")), "h2")
	errs := rig.Get(b.Rig, config.Status, entity.Global).Errors
	if b.items().Uint(config.MetricInterval) != 7 || len(errs) != 1 || errs[0].Value != "7" {
		t.Errorf("interval %d, errors %v", b.items().Uint(config.MetricInterval), errs)
	}
	b.configure(edge(), "h3")
	if b.items().Uint(config.MetricInterval) != 60 {
		t.Error("an absent item keeps its value")
	}
}

func TestAPI29_Interval(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1") // 20 s
	gap := func() time.Duration {
		was := b.Now()
		b.next()
		return b.Now() - was
	}
	total := time.Duration(0)
	for range 30 {
		d := gap()
		if total += d; d < 6*time.Second || d > 21*time.Second {
			t.Errorf("asked after %v, want 6 to 20 s", d)
		}
		b.answer("config", 304, nil)
	}
	if mean := total / 30; mean < 11*time.Second || mean > 16*time.Second {
		t.Errorf("asked every %v, want about 13 s", mean)
	}
	b.next()
	b.answer("config", 200, b.c.config(edge(setItem(config.ConfigInterval, "200")), "h2"))
	if d := gap(); d < 59*time.Second {
		t.Errorf("asked after %v, want 60 to 200 s", d)
	}
	b.answer("config", 200, b.c.config(edge(setItem(config.ConfigInterval, "5")), "h3"))
	if d := gap(); d > 6*time.Second {
		t.Errorf("asked after %v, want 1.5 to 5 s", d)
	}
}

func TestAPI53_API54_MalformedObjects(t *testing.T) {
	b := ready(t)
	b.configure(edge(func(c *eveconfig.EdgeDevConfig) {
		c.NetworkInstances = append(c.NetworkInstances, nil, &eveconfig.NetworkInstanceConfig{})
		c.Apps = append(c.Apps, &eveconfig.AppInstanceConfig{Uuidandversion: &eveconfig.UUIDandVersion{
			Uuid: niID}})
		c.SystemAdapterList[0].NetworkUUID = appID
		c.DeviceIoList = append(c.DeviceIoList, &eveconfig.PhysicalIO{Ptype: 99, Phylabel: "odd"})
		c.Datastores = append(c.Datastores, &eveconfig.DatastoreConfig{Id: "nowhere"})
	}), "h1")
	if good := rig.Get(b.Rig, app.Configs, appID); good == nil || len(good.Errors) > 0 {
		t.Errorf("the good application: %+v", good)
	}
	if bad := rig.Get(b.Rig, app.Configs, niID); bad == nil || len(bad.Errors) == 0 {
		t.Errorf("the bad application: %+v", bad)
	}
	if n := len(rig.Rows(b.Rig, network.Instances)); n != 3 {
		t.Errorf("%d network instances, want 3", n)
	}
	d := rig.Get(b.Rig, network.DPCs.Of("zedagent"), "zedagent")
	if !strings.HasPrefix(d.LastError, "All management ports failed to parse") ||
		!d.Ports[0].InvalidConfig {
		t.Errorf("ports %+v", d)
	}
	s := b.status()
	if s.ConfigGetStatus != node.ConfigGetSuccess || !strings.Contains(s.Error,
		"type 99 is unknown") || !strings.Contains(s.Error, `UUID "nowhere" is malformed`) ||
		!b.complete() {
		t.Errorf("status %+v", s)
	}
	b.configure(edge(), "h2")
	if d := rig.Get(b.Rig, network.DPCs.Of("zedagent"), "zedagent"); b.status().Error != "" ||
		d.LastError != "" || len(rig.Rows(b.Rig, network.Instances)) != 1 {
		t.Errorf("errors stay: %+v %+v", b.status(), d)
	}
}
