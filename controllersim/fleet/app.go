package fleet

import (
	"fmt"
	"slices"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
	"google.golang.org/protobuf/proto"
)

// App is an application instance.
type App struct {
	// Name is its display name.
	Name string
	// CPUs is the number of virtual CPUs, default 1.
	CPUs uint32
	// MemoryKB is the memory in KiB, the API's unit, default 256 MiB.
	MemoryKB uint32
	// Mode is the kind of virtual machine, default HVM.
	Mode config.VmMode
	// Volumes are the names of its volumes, the boot volume first.
	Volumes []string
	// MountDirs are where volumes are mounted in a container, by the volume's name.
	MountDirs map[string]string
	// Interfaces are its network interfaces, in the order the guest sees them.
	Interfaces []Interface
	// Adapters are assignment groups of hardware that it gets.
	Adapters []Adapter
	// UserData is cloud-init data, in base64.
	UserData string
	// MetaData is how the guest gets it, default by a drive.
	MetaData config.MetaDataType
	// Inactive keeps it from being started.
	Inactive bool
	// StartDelay is how many seconds to wait after boot before it is started.
	StartDelay uint32
	// Profiles are the profiles it runs in, none for all.
	Profiles []string
}

// Interface joins an application to a network instance.
type Interface struct {
	// Name is the interface's, default eth0, eth1 ... in order.
	Name string
	// Network is the name of the network instance.
	Network string
	// Rules are its access list.
	Rules []Rule
	// MAC and Addr are fixed addresses, "" for any.
	MAC, Addr string
	// AccessVLAN is the VLAN on a switch network, 0 for none.
	AccessVLAN uint32
	// Discovers says that the application may know where others are.
	Discovers bool
}

// Adapter is a piece of hardware given to an application.
type Adapter struct {
	// Type is the kind of hardware.
	Type evecommon.PhyIoType
	// Group is the assignment group, or logical label.
	Group string
}

// App adds an application, or replaces the one of its name, whose counters go on.
func (d *Draft) App(a App) *Draft {
	if a.CPUs == 0 {
		a.CPUs = 1
	}
	if a.MemoryKB == 0 {
		a.MemoryKB = 256 << 10
	}
	if a.Mode == 0 {
		a.Mode = config.VmMode_HVM
	}
	app := &config.AppInstanceConfig{
		Uuidandversion: &config.UUIDandVersion{Uuid: d.AppID(a.Name), Version: "1"},
		Displayname:    a.Name,
		Fixedresources: &config.VmConfig{
			Memory: a.MemoryKB, Maxmem: a.MemoryKB, Vcpus: a.CPUs, Maxcpus: a.CPUs,
			VirtualizationMode: a.Mode,
		},
		Activate: !a.Inactive, UserData: a.UserData, ProfileList: a.Profiles,
		MetaDataType:        a.MetaData,
		StartDelayInSeconds: a.StartDelay,
	}
	for _, name := range a.Volumes {
		vol := d.volume(name)
		if vol == nil {
			d.fail("application %s: no volume %q", a.Name, name)
			continue
		}
		app.VolumeRefList = append(app.VolumeRefList, &config.VolumeRef{
			Uuid: vol.GetUuid(), GenerationCount: vol.GetGenerationCount(), MountDir: a.MountDirs[name],
		})
	}
	d.addInterfaces(app, a)
	for _, h := range a.Adapters {
		app.Adapters = append(app.Adapters, &config.Adapter{Type: h.Type, Name: h.Group})
	}
	if i := d.appIndex(a.Name); i >= 0 {
		old := d.cfg.Apps[i]
		app.Restart, app.Purge = old.GetRestart(), old.GetPurge()
		d.cfg.Apps[i] = app
		return d
	}
	d.cfg.Apps = append(d.cfg.Apps, app)
	return d
}

func (d *Draft) addInterfaces(app *config.AppInstanceConfig, a App) {
	var ace int32
	for i, in := range a.Interfaces {
		if !d.hasInstance(in.Network) {
			d.fail("application %s: no network instance %q", a.Name, in.Network)
			continue
		}
		if in.Name == "" {
			in.Name = fmt.Sprintf("eth%d", i)
		}
		adapter := &config.NetworkAdapter{
			Name: in.Name, NetworkId: d.InstanceID(in.Network), MacAddress: in.MAC, Addr: in.Addr,
			AccessVlanId: in.AccessVLAN, InterfaceOrder: uint32(i), AllowToDiscover: in.Discovers,
		}
		for _, r := range in.Rules {
			// Entries are numbered through the application, as flow records name them by it.
			ace++
			entry := proto.CloneOf(r.ace)
			entry.Id = ace
			adapter.Acls = append(adapter.Acls, entry)
		}
		app.Interfaces = append(app.Interfaces, adapter)
	}
}

func (d *Draft) appIndex(name string) int {
	id := d.AppID(name)
	return slices.IndexFunc(d.cfg.Apps, func(a *config.AppInstanceConfig) bool {
		return a.GetUuidandversion().GetUuid() == id
	})
}

// editApp changes an application of the draft.
func (d *Draft) editApp(name string, change func(*config.AppInstanceConfig)) *Draft {
	i := d.appIndex(name)
	if i < 0 {
		return d.fail("no application %q", name)
	}
	change(d.cfg.Apps[i])
	return d
}

// RestartApp asks to restart an application by counting its counter on.
func (d *Draft) RestartApp(name string) *Draft {
	return d.editApp(name, func(a *config.AppInstanceConfig) {
		a.Restart = &config.InstanceOpsCmd{Counter: a.GetRestart().GetCounter() + 1}
	})
}

// PurgeApp asks to restart an application from fresh volumes: its counter and the generation of
// each of its volumes go on.
func (d *Draft) PurgeApp(name string) *Draft {
	return d.editApp(name, func(a *config.AppInstanceConfig) {
		a.Purge = &config.InstanceOpsCmd{Counter: a.GetPurge().GetCounter() + 1}
		for _, ref := range a.GetVolumeRefList() {
			for _, v := range d.cfg.GetVolumes() {
				if v.GetUuid() == ref.GetUuid() {
					v.GenerationCount++
					ref.GenerationCount = v.GenerationCount
				}
			}
		}
	})
}

// ActivateApp starts or stops an application.
func (d *Draft) ActivateApp(name string, on bool) *Draft {
	return d.editApp(name, func(a *config.AppInstanceConfig) { a.Activate = on })
}

// RemoveApp takes an application out. Its volumes and images stay until they are removed.
func (d *Draft) RemoveApp(name string) *Draft {
	i := d.appIndex(name)
	if i < 0 {
		return d.fail("no application %q", name)
	}
	d.cfg.Apps = slices.Delete(d.cfg.Apps, i, i+1)
	return d
}
