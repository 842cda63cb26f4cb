package zedagentmetrics

import (
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/metrics"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/host/rig/cloud"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	counters "github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

const (
	deviceID = "8a4ae2bc-5a3c-4f4f-a9f0-2f5a47e1a001"
	appID    = "11111111-5a3c-4f4f-a9f0-2f5a47e1a001"
)

// bench is an onboarded device with one agent and what its queries answer.
type bench struct {
	*rig.Rig
	t     *testing.T
	ports nic.CountersRes
	vifs  bridge.CountersRes
	usage hyper.UsageRes
	// deaf makes the queries fail.
	deaf bool
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Rig: rig.New(t, "zedagent-metrics", New), t: t}
	cloud.Named(b.Rig)
	rig.Put(b.Rig, store.Space, store.SpaceSeen{Total: 4 << 30})
	rig.Put(b.Rig, volume.Mgr, volume.VolumeMgrStatus{Name: "volumemgr", RemainingSpace: 1 << 30})
	rig.Put(b.Rig, domain.Host, domain.HostMemory{TotalMemoryMB: 2048})
	way := cloud.Network(network.DPCSuccess, "10.0.0.5")
	way.Ports[0].Logicallabel = "e0"
	rig.Put(b.Rig, network.DNS, way)
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	a := app.AppInstanceStatus{UUIDandVersion: entity.UUIDandVersion{UUID: appID}, DisplayName: "web",
		BootTime: b.Wall()}
	n := network.AppNetAdapterStatus{}
	n.Name, n.Vif = "eth0", "nbu1x1"
	a.AppNetAdapters = []network.AppNetAdapterStatus{n}
	rig.Put(b.Rig, app.Statuses, a)
	rig.Put(b.Rig, network.InstanceStatus, network.NetworkInstanceStatus{
		Vifs: []network.VifNameMac{{Name: "nbu1x1"}},
		NetworkInstanceConfig: network.NetworkInstanceConfig{
			UUIDandVersion: entity.UUIDandVersion{UUID: "ni"}, Type: network.NILocal}})
	for _, owner := range []string{"nim", "zedagent"} {
		rig.Put(b.Rig, counters.Maps.Of(owner), counters.MetricsMap{Ports: []counters.PortCounters{{
			Interface: "eth0", SuccessCount: 2, LastSuccess: 50,
			URLs: []counters.URLCounters{{URL: "https://z/config", SentMsgCount: 2}}}}})
	}
	b.usage = hyper.UsageRes{Host: hyper.Usage{CPUTotalNs: 5e9, AllocatedMB: 600, UsedMB: 400},
		Domains: []hyper.Usage{{Name: "d", AppID: appID, CPUTotalNs: 3e9, AllocatedMB: 512, UsedMB: 100}}}
	b.ports.Counters = []nic.Counter{{IfName: "eth0", TxBytes: 100, RxBytes: 200}}
	b.vifs.Counters = []bridge.Counter{{Vif: "nbu1x1", TxBytes: 10, RxBytes: 20, TxPkts: 1}}
	return b
}

// settle answers everything but web.Send.
func (b *bench) settle() {
	b.t.Helper()
	b.Step()
	for range 4 {
		cloud.Serve(b.Rig)
		answer(b, nic.Counters, b.ports)
		answer(b, bridge.Counters, b.vifs)
		answer(b, hyper.Usages, b.usage)
		b.Step()
	}
}

func answer[Req, Res any](b *bench, op agent.Op[Req, Res], res Res) {
	for _, c := range rig.Calls(b.Rig, op) {
		if b.deaf {
			rig.Fail(b.Rig, op, c.Key, agent.Fault{Code: "deaf", Text: "deaf"})
		} else {
			rig.Done(b.Rig, op, c.Key, res)
		}
	}
}

// flying is the message under way, nil if there is none.
func (b *bench) flying() *metrics.ZMetricMsg {
	b.t.Helper()
	b.settle()
	payload := cloud.Flying(b.t, b.Rig)
	if payload == nil {
		return nil
	}
	m, err := eveapi.ParseMetrics(payload)
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// next waits for the next message, at most d, and tells how long it took.
func (b *bench) next(d time.Duration) (*metrics.ZMetricMsg, time.Duration) {
	b.t.Helper()
	for from := b.Now(); ; b.Advance(time.Second) {
		if m := b.flying(); m != nil {
			return m, b.Now() - from
		}
		if b.Now()-from > d {
			b.t.Fatalf("no message within %v\n%s", d, b.Dump())
		}
	}
}

// code ends the exchange: on the one port that there is.
func (b *bench) code(n int) {
	b.t.Helper()
	rig.Done(b.Rig, web.Send, key, web.SendRes{Code: n, WithTLS: true})
	b.settle()
}

func (b *bench) interval(seconds string) {
	rig.Put(b.Rig, config.Items, config.ConfigItemValueMap{FromController: true,
		Values: []config.Value{{Key: config.MetricInterval, Value: seconds}}})
	b.Step()
}
