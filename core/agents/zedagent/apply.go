package zedagent

import (
	eveconfig "github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/eveapi/parse"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// source is where a configuration came from.
type source uint8

const (
	fromController source = iota
	fromSaved
	fromBootstrap
)

// outcome is what became of a configuration.
type outcome uint8

const (
	applied   outcome = iota // all of it
	obsolete                 // nothing: it is older than the one in force
	commanded                // a command in it is under way; the rest has to wait for the next boot
	held                     // settings only: the device is in maintenance
)

// apply makes rows of a configuration, in EVE's order: what steers the device before what it is
// to do. Settings count even if the rest does not, so that a device that is stuck can be told to
// recover.
func (x *turn) apply(cfg *eveconfig.EdgeDevConfig, from source) outcome {
	x.moved = true
	base := parse.ReadBase(cfg)
	if !base.Timestamp.IsZero() && from != fromBootstrap {
		if base.Timestamp.Before(x.s.Stamp) {
			return obsolete
		}
		x.s.Stamp = base.Timestamp
	}
	x.itemSection(cfg.GetConfigItems(), from != fromBootstrap)
	if from == fromBootstrap {
		x.networkSections(cfg, base, from)
		return applied
	}
	x.s.AskedMaintenance = base.MaintenanceMode
	x.judgeMaintenance()
	if from == fromController && x.commands(base) || x.halting() {
		return commanded
	}
	x.s.Epoch = base.Epoch
	if x.s.Maintenance {
		return held
	}
	if old := x.s.CertsHash; base.CertsHash != old {
		x.s.CertsHash = base.CertsHash
		x.w.Certs.Due = x.w.Certs.Due || old != "" // the first is as old as the certificates
	}
	x.a.out.names.Put(base.Names)
	x.s.Version = base.Version
	x.networkSections(cfg, base, from)
	x.storeSection(cfg)
	x.instanceSection(cfg)
	x.treeSection(cfg)
	if !plant.On(plant.HalfConfig) || !x.plantErrors() {
		x.appSections(cfg)
	}
	x.s.Processed = x.t.Wall
	x.complete()
	return applied
}

// complete declares the tables whole: from now on what is not in them is not wanted.
func (x *turn) complete() {
	o := &x.a.out
	o.ios.Complete()
	o.dpcs.Complete()
	o.instances.Complete()
	o.stores.Complete()
	o.trees.Complete()
	o.volumes.Complete()
	o.apps.Complete()
	o.names.Complete()
}

// itemSection takes the settings of a configuration.
func (x *turn) itemSection(list []*eveconfig.ConfigItem, fromController bool) {
	origin := "early"
	if fromController {
		origin = "controller"
	}
	if x.changed("items", sumOf(list, origin)) {
		x.takeItems(parse.Items(list), fromController)
	}
}

// takeItems publishes settings; those that are refused keep their value and are reported.
func (x *turn) takeItems(list []config.Value, fromController bool) {
	m, errs := config.Parse(list, x.a.out.items.Get(entity.Global), fromController)
	x.a.out.items.Put(m)
	x.a.out.itemErrs.Put(config.ItemStatus{Errors: errs})
}

// judgeMaintenance decides on maintenance: the setting wins over the API and over local reasons.
// Leaving it asks for all of the configuration, because parts were held back.
func (x *turn) judgeMaintenance() {
	on := x.s.AskedMaintenance || x.nodeStatus().LocalMaintenanceMode
	switch x.settings().Text(config.MaintenanceMode) {
	case config.TristateEnabled:
		on = true
	case config.TristateDisabled:
		on = false
	}
	if x.s.Maintenance && !on {
		x.w.Hash = ""
		if !x.w.Asking {
			x.w.Next = x.t.Now
		}
	}
	x.s.Maintenance = on
}

// plantErrors reports whether a section that applications build on has an error.
func (x *turn) plantErrors() bool {
	for _, i := range x.a.out.instances.All() {
		if i.Error != "" {
			return true
		}
	}
	return false
}
