package zedagent

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	eveconfig "github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/parse"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
)

// sumOf is the checksum of a section: of its messages and of what else its rows depend on, which
// may be the checksum of another section.
func sumOf[M proto.Message](list []M, on ...string) string {
	h := sha256.New()
	for _, d := range on {
		h.Write([]byte(d))
		h.Write([]byte{0})
	}
	for _, m := range list {
		b, err := eveapi.Marshal(m)
		if err != nil {
			b = []byte(err.Error())
		}
		sum := sha256.Sum256(b)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// changed reports whether a section has to be parsed, and notes its checksum.
func (x *turn) changed(name, sum string) bool {
	if s := x.a.out.sections.Get(name); s != nil && s.Sum == sum {
		return false
	}
	x.a.out.sections.Put(section{Name: name, Sum: sum})
	return true
}

// wrong notes what is wrong with a section and has no row to stand in.
func (x *turn) wrong(name string, errs ...string) {
	s := section{Name: name}
	if old := x.a.out.sections.Get(name); old != nil {
		s.Sum = old.Sum
	}
	for _, e := range errs {
		if e != "" {
			s.Errors = append(s.Errors, e)
		}
	}
	x.a.out.sections.Put(s)
}

// replace makes a table hold exactly these rows. Removals come first: what replaces something may
// need its place.
func replace[V bus.Row](p *bus.Pub[V], rows []V) {
	want := make(map[string]bool, len(rows))
	for _, r := range rows {
		want[r.Key()] = true
	}
	p.Keep(func(key string) bool { return want[key] })
	for _, r := range rows {
		p.Put(r)
	}
}

// networkSections makes the device model and the port configuration.
func (x *turn) networkSections(cfg *eveconfig.EdgeDevConfig, base parse.Base, from source) {
	ioSum := sumOf(cfg.GetDeviceIoList())
	key, origin := "zedagent", network.OriginController
	if from == fromBootstrap {
		key, origin = "bootstrap", network.OriginBootstrap
	}
	portSum := sumOf(cfg.GetSystemAdapterList(), ioSum, sumOf(cfg.GetBonds()),
		sumOf(cfg.GetVlans()), sumOf(cfg.GetNetworks()), sumOf(cfg.GetPnacs()), key)
	ioChanged, portsChanged := x.changed("io", ioSum), x.changed("ports", portSum)
	if !ioChanged && !portsChanged {
		return
	}
	list, errs := parse.DeviceIO(cfg.GetDeviceIoList())
	if ioChanged {
		x.wrong("io", errs...)
		x.a.out.ios.Put(list)
	}
	if !portsChanged {
		return
	}
	x.wrong("ports", parse.RepeatedNetworks(cfg.GetNetworks()))
	ios := parse.NewAdapters(list)
	made := base.Timestamp
	if made.IsZero() {
		made = x.t.Wall
	}
	x.putPorts(parse.Ports(parse.PortInput{Adapters: cfg.GetSystemAdapterList(),
		PNACs: cfg.GetPnacs(), IOs: ios, Networks: parse.Networks(cfg.GetNetworks()),
		Links: parse.MakeLinks(cfg.GetBonds(), cfg.GetVlans(), ios),
		Key:   key, Source: origin, Priority: made, At: x.t.Wall}))
	if plant.On(plant.WirelessBricks) && plantWireless(cfg) {
		panic("zedagent: a wireless configuration without a type")
	}
}

// plantWireless reports whether a network has a wireless configuration that says nothing.
func plantWireless(cfg *eveconfig.EdgeDevConfig) bool {
	for _, n := range cfg.GetNetworks() {
		if w := n.GetWireless(); w != nil && w.GetType() == 0 {
			return true
		}
	}
	return false
}

// putPorts publishes a port configuration. One that says what the old one says keeps the old one's
// times: it is no news.
func (x *turn) putPorts(d network.DevicePortConfig) {
	if old := x.a.out.dpcs.Get(d.Key()); old != nil {
		same := d
		same.TimePriority = old.TimePriority
		keepTime(&same.TestResults, &old.TestResults)
		same.Ports = append([]network.NetworkPortConfig(nil), d.Ports...)
		for i := range same.Ports {
			if i < len(old.Ports) {
				keepTime(&same.Ports[i].TestResults, &old.Ports[i].TestResults)
			}
		}
		if x.a.out.dpcs.Topic().Equal(&same, old) {
			return
		}
	}
	x.a.out.dpcs.Put(d)
}

func keepTime(now, old *network.TestResults) {
	if now.LastError == old.LastError {
		now.LastFailed = old.LastFailed
	}
}

func (x *turn) storeSection(cfg *eveconfig.EdgeDevConfig) {
	if x.changed("datastores", sumOf(cfg.GetDatastores())) {
		rows, wrong := parse.Datastores(cfg.GetDatastores())
		errs := []string{wrong}
		for i := range rows {
			if rows[i].Error != "" { // no status of its own would show it
				errs = append(errs, "datastore "+rows[i].Key()+": "+rows[i].Error)
			}
		}
		x.wrong("datastores", errs...)
		replace(x.a.out.stores, rows)
	}
}

// instanceSection makes the network instances; an error keeps the time at which it was first seen.
func (x *turn) instanceSection(cfg *eveconfig.EdgeDevConfig) {
	if !x.changed("instances", sumOf(cfg.GetNetworkInstances())) {
		return
	}
	rows, wrong := parse.Instances(cfg.GetNetworkInstances(), x.t.Wall)
	for i := range rows {
		if old := x.a.out.instances.Get(rows[i].Key()); old != nil && old.Error == rows[i].Error {
			rows[i].ErrorTime = old.ErrorTime
		}
	}
	x.wrong("instances", wrong)
	replace(x.a.out.instances, rows)
}

func (x *turn) treeSection(cfg *eveconfig.EdgeDevConfig) {
	if x.changed("trees", sumOf(cfg.GetContentInfo())) {
		rows, wrong := parse.ContentTrees(cfg.GetContentInfo())
		x.wrong("trees", wrong)
		replace(x.a.out.trees, rows)
	}
}

// appSections makes applications and volumes: which volume has a user is said by the applications.
func (x *turn) appSections(cfg *eveconfig.EdgeDevConfig) {
	order := x.settings().Text(config.AppBootOrder)
	appSum := sumOf(cfg.GetApps(), sumOf(cfg.GetNetworkInstances()), order)
	volumeSum := sumOf(cfg.GetVolumes(), sumOf(cfg.GetApps()))
	appsChanged, volumesChanged := x.changed("apps", appSum), x.changed("volumes", volumeSum)
	if !appsChanged && !volumesChanged {
		return
	}
	instances, _ := parse.Instances(cfg.GetNetworkInstances(), time.Time{})
	apps, wrong := parse.Apps(parse.AppInput{Apps: cfg.GetApps(), Instances: instances,
		BootOrder: order})
	if volumesChanged {
		rows, wrong := parse.Volumes(cfg.GetVolumes(), apps)
		x.wrong("volumes", wrong)
		replace(x.a.out.volumes, rows)
	}
	if appsChanged {
		x.wrong("apps", wrong)
		replace(x.a.out.apps, apps)
	}
}

// haltApps takes applications back while the device goes down.
func (x *turn) haltApps() {
	if !x.halting() {
		return
	}
	var halt []app.AppInstanceConfig
	for _, a := range x.a.out.apps.All() {
		if a.Activate {
			row := *a
			row.Activate = false
			halt = append(halt, row)
		}
	}
	for _, row := range halt {
		x.a.out.apps.Put(row)
	}
}
