package source

import (
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// demoApp is an application and the seconds at which it takes its steps.
type demoApp struct {
	name, uuid, url              string
	num                          int
	size                         int64
	fetch, fetched, checked      float64
	boots, runs, restart, broken float64
	memory                       int // MiB
	port                         string
}

// never is a second that does not come.
const never = 1e9

var demoApps = [...]demoApp{
	{name: "nginx", uuid: "0c5b7c44-1111-4d0a-b6bb-5a3f00000001", num: 1,
		url: "library/nginx:1.27", size: 73 << 20, fetch: 6, fetched: 8.5, checked: 9, boots: 10.5,
		runs: 12, restart: 90, broken: never, memory: 512, port: "8080"},
	{name: "postgres", uuid: "0c5b7c44-2222-4d0a-b6bb-5a3f00000002", num: 2,
		url: "library/postgres:17", size: 438 << 20, fetch: 8, fetched: 60, checked: 62, boots: 64,
		runs: 66, restart: never, broken: never, memory: 1024, port: "5432"},
	{name: "検査カメラ", uuid: "0c5b7c44-3333-4d0a-b6bb-5a3f00000003", num: 3,
		url: "camera-7.2.qcow2", size: 96 << 20, fetch: 13, fetched: 16, checked: 17, boots: never,
		runs: never, restart: never, broken: 17, memory: 2048, port: "554"},
}

func (a *demoApp) exists(m moment) bool { return m.sec >= 5 }
func (a *demoApp) sha() string {
	return strings.Repeat(fmt.Sprintf("%x7c4e1", 9+a.num), 11)[:64]
}
func (a *demoApp) id(kind int) string {
	return fmt.Sprintf("5e7d11%02x-0%d00-4f4f-8888-00000000000%d", kind, kind, a.num)
}
func (a *demoApp) vif() string    { return fmt.Sprintf("nbu1x%d", a.num) }
func (a *demoApp) mac() string    { return fmt.Sprintf("02:16:3e:00:01:0%d", a.num) }
func (a *demoApp) ip() netip.Addr { return netip.AddrFrom4([4]byte{10, 11, 12, byte(1 + a.num)}) }

// state is how far the application is, and how much of its image is here.
func (a *demoApp) state(m moment) (entity.SwState, int64) {
	done := m.grown(a.fetch, a.fetched)
	done += 0.01 * math.Sin(done*24*math.Pi) // not always at the same speed
	have := int64(float64(a.size) * done)
	switch {
	case m.sec < a.fetch:
		return entity.INITIAL, 0
	case m.sec < a.fetched:
		return entity.DOWNLOADING, have
	case m.sec < a.checked:
		return entity.VERIFYING, have
	case m.sec >= a.broken:
		return entity.VERIFYING, have
	case m.sec < a.boots-0.5:
		return entity.CREATING_VOLUME, have
	case m.sec < a.boots:
		return entity.INSTALLED, have
	case m.sec < a.runs, m.within(a.restart+2, a.restart+5):
		return entity.BOOTING, have
	case m.within(a.restart, a.restart+2):
		return entity.HALTING, have
	}
	return entity.RUNNING, have
}

// fault is the application's error.
func (a *demoApp) fault(m moment) entity.ErrorDescription {
	var e entity.ErrorDescription
	if m.sec >= a.broken {
		e.Set(entity.ErrorDescription{Error: "verify " + a.url + ": sha256 is 5d0c61f2, should be " +
			a.sha()[:8], ErrorRetryCondition: "downloaded again in 20 s, try 2 of 5"},
			m.wall(a.broken))
	}
	return e
}

// show adds all rows about the application.
func (a *demoApp) show(r *rows, m moment) {
	if !a.exists(m) {
		return
	}
	st, have := a.state(m)
	progress := uint8(have * 100 / a.size)
	fault := entity.ErrorAndTimeWithSource{ErrorDescription: a.fault(m)}
	if fault.HasError() {
		fault.ErrorSourceType = "ContentTreeStatus"
	}
	a.showContent(r, m, st, have, fault)
	id := entity.UUIDandVersion{UUID: a.uuid, Version: "1"}
	vol := volume.VolumeRefStatus{VolumeID: a.id(2), AppUUID: a.uuid, State: min(st, entity.INSTALLED),
		DisplayName: a.name + "-root", ContentFormat: content.CONTAINER, Progress: progress,
		ReferenceName: a.url, ErrorAndTimeWithSource: fault}
	show(r, volume.RefStatuses, vol)
	acl := network.ACE{RuleID: 1, Matches: []network.ACEMatch{{Type: "protocol", Value: "tcp"},
		{Type: "lport", Value: a.port}}, Actions: []network.ACEAction{{PortMap: true, TargetPort: 80}}}
	net := network.AppNetAdapterStatus{AppNetAdapterConfig: network.AppNetAdapterConfig{Name: "net0",
		Network: demoLocal}, AllocatedIPv4Addr: a.ip(),
		VifInfo: network.VifInfo{Bridge: "bn1", Vif: a.vif(), Mac: a.mac()}, HostName: a.uuid}
	if st == entity.RUNNING {
		net.AssignedAddresses, net.IPv4Up = []netip.Addr{a.ip()}, true
	}
	s := app.AppInstanceStatus{UUIDandVersion: id, DisplayName: a.name, State: st,
		Activated:           st == entity.RUNNING,
		VolumeRefStatusList: []volume.VolumeRefStatus{vol}, Progress: progress,
		FixedResources:         app.VmConfig{Memory: a.memory << 10, VCpus: 1 + a.num%2},
		AppNetAdapters:         []network.AppNetAdapterStatus{net},
		ErrorAndTimeWithSource: fault}
	if m.within(a.restart, a.restart+5) {
		s.RestartInprogress, s.RestartStartedAt = app.BringDown, m.wall(a.restart)
		if st == entity.BOOTING {
			s.RestartInprogress = app.BringUp
		}
	}
	if m.sec >= a.runs {
		s.BootTime = m.wall(a.runs)
		if m.sec >= a.restart+5 {
			s.BootTime = m.wall(a.restart + 5)
		}
	}
	show(r, app.Statuses, s)
	show(r, app.Configs, app.AppInstanceConfig{UUIDandVersion: id, DisplayName: a.name,
		Activate: true, FixedResources: s.FixedResources,
		AppNetAdapterList: []network.AppNetAdapterConfig{{Name: "net0", Network: demoLocal,
			ACLs: []network.ACE{acl}}}})
	a.showGuest(r, m, st, id)
}

// showGuest adds the guest, once it is there.
func (a *demoApp) showGuest(r *rows, m moment, st entity.SwState, id entity.UUIDandVersion) {
	if m.sec < a.boots {
		return
	}
	name := fmt.Sprintf("%s.1.%d", a.uuid, a.num)
	show(r, domain.Statuses, domain.DomainStatus{UUIDandVersion: id, DisplayName: a.name, State: st,
		Activated: st == entity.RUNNING, DomainName: name, DomainId: a.num, TriedCount: 1})
	show(r, hyper.Domains, hyper.DomainSeen{Spec: hyper.Spec{Name: name, AppID: a.uuid,
		MemoryKiB: a.memory << 10, VCPUs: 1 + a.num%2, Boots: 1}, ID: a.num, State: hyper.Running,
		BootedAt: m.wall(a.boots)})
}

// showContent adds content tree, blob, download and volume.
func (a *demoApp) showContent(r *rows, m moment, st entity.SwState, have int64,
	fault entity.ErrorAndTimeWithSource) {
	progress := uint8(have * 100 / a.size)
	tree := content.ContentTreeStatus{State: min(st, entity.LOADED), TotalSize: a.size,
		CurrentSize: have, Progress: progress, Blobs: []string{a.sha()},
		ErrorAndTimeWithSource: fault}
	tree.ContentTreeConfig = content.ContentTreeConfig{ContentID: a.id(1), RelativeURL: a.url,
		Format: content.CONTAINER, ContentSha256: a.sha(), DisplayName: a.name + "-image"}
	show(r, content.TreeStatuses, tree)
	if m.sec < a.fetch {
		return
	}
	show(r, content.Blobs, content.BlobStatus{Sha256: a.sha(), RelativeURL: a.url,
		Size: uint64(a.size), State: min(st, entity.VERIFIED), RefCount: 1, TotalSize: a.size,
		CurrentSize: have, Progress: progress, ErrorAndTimeWithSource: fault})
	if m.sec < a.fetched+1 {
		show(r, content.DownloadStatuses, content.DownloaderStatus{ImageSha256: a.sha(), Name: a.url,
			Target: a.sha()[:16], State: min(st, entity.DOWNLOADED), TotalSize: a.size,
			CurrentSize: have, Progress: progress, Port: "uplink"})
	}
	v := volume.VolumeStatus{State: min(st, entity.INSTALLED), TotalSize: a.size, CurrentSize: have,
		Progress: progress, ContentFormat: content.CONTAINER, RefCount: 1,
		ErrorAndTimeWithSource: fault}
	v.VolumeConfig = volume.VolumeConfig{VolumeID: a.id(2), ContentID: a.id(1),
		VolumeContentOriginType: volume.OriginDownload, DisplayName: a.name + "-root"}
	show(r, volume.Statuses, v)
}

// demoSummary shows the summary of applications.
func demoSummary(r *rows, m moment) {
	var s app.AppInstanceSummary
	for i := range demoApps {
		a := &demoApps[i]
		if !a.exists(m) {
			continue
		}
		st, _ := a.state(m)
		switch {
		case m.sec >= a.broken:
			s.TotalError++
		case st == entity.RUNNING:
			s.TotalRunning++
		case st == entity.HALTING:
			s.TotalStopping++
		default:
			s.TotalStarting++
		}
	}
	show(r, app.Summary, s)
}
