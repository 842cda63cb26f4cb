package zedagentinfo

import (
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/host/rig/cloud"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

const (
	deviceID = "8a4ae2bc-5a3c-4f4f-a9f0-2f5a47e1a001"
	appID    = "11111111-5a3c-4f4f-a9f0-2f5a47e1a001"
	niID     = "22222222-5a3c-4f4f-a9f0-2f5a47e1a001"
	volumeID = "33333333-5a3c-4f4f-a9f0-2f5a47e1a001"
	treeID   = "44444444-5a3c-4f4f-a9f0-2f5a47e1a001"
)

// bench is an onboarded device with one agent.
type bench struct {
	*rig.Rig
	t *testing.T
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{rig.New(t, "zedagent-info", New), t}
	b.boot()
	return b
}

// boot puts what is there after each start of the device.
func (b *bench) boot() {
	cloud.Named(b.Rig)
	rig.Put(b.Rig, store.Files, store.FileSeen{Path: rootFile, Size: 3, Sha256: "beef"})
	rig.Put(b.Rig, store.Space, store.SpaceSeen{Total: 4 << 30})
	rig.Put(b.Rig, boot.Parts, boot.PartSeen{Label: "IMGA", State: "unused"})
	rig.Put(b.Rig, boot.Parts, boot.PartSeen{Label: "IMGB", State: "active", Version: "13.1",
		Current: true})
	rig.Put(b.Rig, hyper.Host, hyper.HostSeen{Arch: "arm64", Serial: "SN7", Ncpus: 4,
		TotalMemoryMB: 2048})
	b.network(network.DPCSuccess, "10.0.0.5")
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
}

func (b *bench) network(s network.DPCState, addr string) {
	n := cloud.Network(s, addr)
	n.DPCKey = "zedagent"
	rig.Put(b.Rig, network.DNS, n)
}

// settle answers everything but web.Send.
func (b *bench) settle() {
	b.Step()
	for range 4 {
		cloud.Serve(b.Rig)
		b.Step()
	}
}

// flying is the message under way, nil if there is none.
func (b *bench) flying() *info.ZInfoMsg {
	b.t.Helper()
	b.settle()
	payload := cloud.Flying(b.t, b.Rig)
	if payload == nil {
		return nil
	}
	m, err := eveapi.ParseInfo(payload)
	if err != nil {
		b.t.Fatal(err)
	}
	if !m.GetAtTimeStamp().AsTime().Equal(b.Wall().Truncate(0)) && m.GetAtTimeStamp() == nil {
		b.t.Fatal("no time in the message")
	}
	return m
}

// flush takes messages until no more come within a while, and names them.
func (b *bench) flush(d time.Duration) []string {
	b.t.Helper()
	var out []string
	for until := b.Now() + d; b.Now() < until; b.Advance(time.Second) {
		for m := b.flying(); m != nil; m = b.flying() {
			out = append(out, m.GetZtype().String()+" "+eveapi.InfoEntity(m))
			b.answer(201)
		}
	}
	return out
}

func (b *bench) answer(code int) {
	b.t.Helper()
	rig.Done(b.Rig, web.Send, "queue", web.SendRes{Code: code, WithTLS: true})
	b.settle()
}

// next is the next message, which must come within 2 s.
func (b *bench) next() *info.ZInfoMsg {
	b.t.Helper()
	for range 20 {
		if m := b.flying(); m != nil {
			return m
		}
		b.Advance(100 * time.Millisecond)
	}
	b.t.Fatalf("nothing is sent\n%s", b.Dump())
	return nil
}

func (b *bench) app(state entity.SwState) {
	rig.Put(b.Rig, app.Statuses, app.AppInstanceStatus{
		UUIDandVersion: entity.UUIDandVersion{UUID: appID, Version: "3"}, DisplayName: "web",
		DomainName: "web.1", State: state})
}

func (b *bench) volume(gen int64) {
	rig.Put(b.Rig, volume.Statuses, volume.VolumeStatus{VolumeConfig: volume.VolumeConfig{
		VolumeID: volumeID, GenerationCounter: gen, DisplayName: "disk"},
		State: entity.CREATED_VOLUME, RefCount: 1})
}

func (b *bench) epoch(n int64) {
	rig.Put(b.Rig, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent", ControllerEpoch: n,
		DeviceState: node.StateOnline, LastProcessedConfig: time.Unix(1, 0)})
}

func (b *bench) interval(seconds string) {
	rig.Put(b.Rig, config.Items, config.ConfigItemValueMap{FromController: true,
		Values: []config.Value{{Key: config.DeviceInfoInterval, Value: seconds}}})
}
