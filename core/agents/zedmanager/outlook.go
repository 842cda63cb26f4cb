package zedmanager

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

// outlook is what applies to all applications.
type outlook struct {
	Profile string
	// Known is set, and Base and BaseWall are when, the first good or saved configuration was there.
	Known    bool
	Base     time.Duration
	BaseWall time.Time
	Down     bool // the device is about to reboot or to power off
}

// Key is "global".
func (outlook) Key() string { return entity.Global }

var outlooks = bus.NewTopic[outlook](bus.Decl{Owner: "zedmanager", Name: "Outlook"})

// look takes over what zedagent says and reports whether it means anything for applications.
func (a *zedmanager) look(t *round) (moved bool) {
	var o outlook
	old := a.outlooks.Get(entity.Global)
	if old != nil {
		o = *old
	}
	z := a.zedagent.Get("zedagent")
	if z == nil {
		return false
	}
	o.Profile = z.CurrentProfile
	if !o.Known && (z.ConfigGetStatus == node.ConfigGetSuccess ||
		z.ConfigGetStatus == node.ConfigGetReadSaved) {
		o.Known, o.Base, o.BaseWall = true, t.Now, t.Wall
	}
	o.Down = z.RebootCmd || z.ShutdownCmd || z.PoweroffCmd ||
		slices.Contains([]node.DeviceState{node.StateRebooting, node.StatePreparingPoweroff,
			node.StatePoweringOff, node.StatePreparedPoweroff}, z.DeviceState)
	before := a.outlooks.Rev(entity.Global)
	a.outlooks.Put(o)
	return a.outlooks.Rev(entity.Global) != before
}

// outlook is the current one.
func (a *zedmanager) outlook() outlook {
	if o := a.outlooks.Get(entity.Global); o != nil {
		return *o
	}
	return outlook{}
}

// goesDown reports whether applications stop because the device does.
func (a *zedmanager) goesDown() bool {
	n := a.nodeagent.Get("nodeagent")
	return a.outlook().Down || n != nil && (n.DeviceReboot || n.DeviceShutdown || n.DevicePoweroff)
}

// effective reports whether an application is to run: it is activated, and the current profile, if
// there is one, is among its profiles, if it has any.
func (a *zedmanager) effective(c *app.AppInstanceConfig) bool {
	p := a.outlook().Profile
	return c.Activate && (p == "" || len(c.ProfileList) == 0 || slices.Contains(c.ProfileList, p))
}
