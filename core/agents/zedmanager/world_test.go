package zedmanager

import (
	"net/netip"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// world plays the agents around zedmanager: each answers one step per round.
type world struct {
	*rig.Rig
	t       *testing.T
	stuck   map[string]entity.SwState // volumes that come no further, by volume key
	broken  map[string]string         // volumes with an error
	made    map[string]bool           // volumes that exist
	noNet   map[string]string         // applications whose network fails
	boots   map[string]int            // starts of guests, by application
	states  map[string][]entity.SwState
	verify  map[string][]bool // VerifyOnly as it was asked, by reference
	wedge   bool              // guests do not stop
	running map[string]domain.DomainConfig
}

func newWorld(t *testing.T) *world {
	w := &world{Rig: rig.New(t, "zedmanager", New), t: t, stuck: map[string]entity.SwState{},
		broken: map[string]string{}, made: map[string]bool{}, noNet: map[string]string{},
		boots: map[string]int{}, states: map[string][]entity.SwState{},
		verify: map[string][]bool{}, running: map[string]domain.DomainConfig{}}
	w.boot()
	return w
}

// boot is what the others publish when the device comes up.
func (w *world) boot() {
	rig.Put(w.Rig, domain.Host, domain.HostMemory{TotalMemoryMB: 8192, UsedEveMB: 800})
	rig.Put(w.Rig, config.Items, config.ConfigItemValueMap{FromController: true})
	rig.Put(w.Rig, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent",
		ConfigGetStatus: node.ConfigGetSuccess})
}

func (w *world) settings(values ...config.Value) {
	rig.Put(w.Rig, config.Items, config.ConfigItemValueMap{FromController: true, Values: values})
}

// plain is an application with one volume and one interface.
func plain(id string) app.AppInstanceConfig {
	return app.AppInstanceConfig{UUIDandVersion: entity.UUIDandVersion{UUID: id, Version: "1"},
		DisplayName: id, Activate: true,
		FixedResources:      app.VmConfig{Memory: 512 << 10, VCpus: 1, VirtualizationMode: app.HVM},
		VolumeRefConfigList: []volume.VolumeRefConfig{{VolumeID: "v-" + id}},
		AppNetAdapterList:   []network.AppNetAdapterConfig{{Name: "eth0", Network: "ni"}}}
}

func (w *world) put(c app.AppInstanceConfig) { rig.Put(w.Rig, app.Configs, c) }

func (w *world) whole() { rig.Complete(w.Rig, app.Configs) }

// run lets everybody act until nothing moves; hook runs before each round.
func (w *world) run(hook ...func()) {
	w.t.Helper()
	last := ""
	for range 100 {
		for _, f := range []func(){w.volumes, w.networks, w.guests} {
			w.Step()
			w.note()
			for _, h := range hook {
				h()
			}
			f()
		}
		w.Step()
		now := w.Dump()
		if now == last {
			return
		}
		last = now
	}
	w.t.Fatal("the world does not come to rest\n" + w.Dump())
}

// note writes down what was seen.
func (w *world) note() {
	for _, st := range rig.Rows(w.Rig, app.Statuses) {
		if list := w.states[st.UUID]; len(list) == 0 || list[len(list)-1] != st.State {
			w.states[st.UUID] = append(list, st.State)
		}
	}
	for _, r := range rig.Rows(w.Rig, volume.Refs) {
		if list := w.verify[r.Key()]; len(list) == 0 || list[len(list)-1] != r.VerifyOnly {
			w.verify[r.Key()] = append(list, r.VerifyOnly)
		}
	}
}

func (w *world) volumes() {
	for _, r := range rig.Rows(w.Rig, volume.Refs) {
		key := r.VolumeKey()
		old := rig.Get(w.Rig, volume.RefStatuses, r.Key())
		st := volume.VolumeRefStatus{VolumeID: r.VolumeID, GenerationCounter: r.GenerationCounter,
			LocalGenerationCounter: r.LocalGenerationCounter, AppUUID: r.AppUUID,
			VerifyOnly: r.VerifyOnly, MountDir: r.MountDir, State: entity.DOWNLOADING,
			Of: rig.Rev(w.Rig, volume.Refs, r.Key()), ContentFormat: content.QCOW2}
		if old != nil {
			st.State = old.State
			switch old.State {
			case entity.DOWNLOADING:
				st.State = entity.VERIFYING
			case entity.VERIFYING:
				st.State = entity.LOADED
			case entity.LOADED:
				if !r.VerifyOnly {
					st.State = entity.CREATING_VOLUME
				}
			case entity.CREATING_VOLUME:
				w.made[key] = true
			}
		}
		if st.Progress = 40; st.State >= entity.LOADED {
			st.Progress = 100
		}
		if w.made[key] {
			st.State, st.ActiveFileLocation = entity.CREATED_VOLUME, "/vols/"+key
			if r.VerifyOnly {
				st.State, st.ActiveFileLocation = entity.LOADED, ""
			}
		}
		if limit, ok := w.stuck[key]; ok {
			st.State = min(st.State, limit)
		}
		st.Error = w.broken[key]
		rig.Put(w.Rig, volume.RefStatuses, st)
	}
	for _, st := range rig.Rows(w.Rig, volume.RefStatuses) {
		if rig.Get(w.Rig, volume.Refs, st.Key()) == nil {
			delete(w.made, st.VolumeKey())
			rig.Delete(w.Rig, volume.RefStatuses, st.Key())
		}
	}
}

// networks answers a new wish with the interfaces first, and with their being up in the next round.
func (w *world) networks() {
	for _, c := range rig.Rows(w.Rig, network.AppNetworks) {
		st := network.AppNetworkStatus{UUIDandVersion: c.UUIDandVersion, AppNum: 1,
			Of: rig.Rev(w.Rig, network.AppNetworks, c.UUID), Activated: c.Activate}
		if rig.Get(w.Rig, network.AppNetworkStatuses, c.UUID) == nil {
			st.PendingAdd, st.Activated = true, false
		}
		if wrong := w.noNet[c.UUID]; wrong != "" {
			st.Error, st.Activated = wrong, false
		}
		for _, ad := range c.AppNetAdapterList {
			st.AppNetAdapterList = append(st.AppNetAdapterList, network.AppNetAdapterStatus{
				AppNetAdapterConfig: ad, VifInfo: network.VifInfo{Bridge: "bn1", Vif: "nbu1x1"},
				MTU: 1500, AllocatedIPv4Addr: netip.MustParseAddr("10.1.0.2")})
		}
		rig.Put(w.Rig, network.AppNetworkStatuses, st)
	}
	for _, st := range rig.Rows(w.Rig, network.AppNetworkStatuses) {
		if rig.Get(w.Rig, network.AppNetworks, st.UUID) == nil {
			rig.Delete(w.Rig, network.AppNetworkStatuses, st.UUID)
		}
	}
}

func (w *world) guests() {
	for _, c := range rig.Rows(w.Rig, domain.Configs) {
		old := rig.Get(w.Rig, domain.Statuses, c.UUID)
		st := domain.DomainStatus{UUIDandVersion: c.UUIDandVersion, State: entity.HALTED}
		if old != nil {
			st = *old
		}
		st.Of = rig.Rev(w.Rig, domain.Configs, c.UUID)
		was, up := w.running[c.UUID]
		if up && c.Activate && !sameGuest(&was, &c) {
			w.t.Errorf("the guest of %s is changed while it runs", c.UUID)
		}
		switch {
		case c.Activate && st.State == entity.BOOTING:
			st.State = entity.RUNNING
		case c.Activate && !up:
			w.boots[c.UUID]++
			w.running[c.UUID] = c
			st.State, st.Activated, st.BootTime = entity.BOOTING, true,
				w.Wall().Add(time.Duration(w.boots[c.UUID])*time.Second)
		case up && st.State == entity.HALTING && !w.wedge: // what was begun is ended first
			delete(w.running, c.UUID)
			st.State, st.Activated = entity.HALTED, false
		case !c.Activate && up:
			st.State = entity.HALTING
		}
		rig.Put(w.Rig, domain.Statuses, st)
	}
	for _, st := range rig.Rows(w.Rig, domain.Statuses) {
		if rig.Get(w.Rig, domain.Configs, st.UUID) == nil {
			if _, up := w.running[st.UUID]; up && st.State != entity.HALTING {
				st.State = entity.HALTING
				rig.Put(w.Rig, domain.Statuses, st)
				continue
			}
			delete(w.running, st.UUID)
			rig.Delete(w.Rig, domain.Statuses, st.UUID)
		}
	}
}

func sameGuest(x, y *domain.DomainConfig) bool {
	same := x.VmConfig == y.VmConfig && len(x.DiskConfigList) == len(y.DiskConfigList) &&
		len(x.VifList) == len(y.VifList)
	for i := range min(len(x.DiskConfigList), len(y.DiskConfigList)) {
		same = same && x.DiskConfigList[i] == y.DiskConfigList[i]
	}
	return same
}

func (w *world) status(id string) app.AppInstanceStatus {
	w.t.Helper()
	st := rig.Get(w.Rig, app.Statuses, id)
	if st == nil {
		w.t.Fatal("no status of " + id + "\n" + w.Dump())
	}
	return *st
}

func (w *world) mustRun(id string) app.AppInstanceStatus {
	w.t.Helper()
	st := w.status(id)
	if st.State != entity.RUNNING || !st.Activated || st.HasError() ||
		st.RestartInprogress != app.NotInprogress || st.PurgeInprogress != app.NotInprogress {
		w.t.Fatalf("%s is no running application: %+v", id, st)
	}
	return st
}
