package scenario

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// D is a device in a scenario.
type D struct {
	s     *S
	m     Machine
	name  string
	draft *fleet.Draft
	uuid  string // the last one it had
}

// Name is the device's name.
func (d *D) Name() string { return d.name }

// Machine is the device on its host.
func (d *D) Machine() Machine { return d.m }

// Twin is the device's model.
func (d *D) Twin() *twin.Device { return d.m.Twin() }

// Boot turns the device on.
func (d *D) Boot() { d.s.Must(d.m.Boot()) }

// Onboard turns the device on and waits until the controller knows it.
func (d *D) Onboard() {
	d.Boot()
	within := 10 * time.Minute
	if !d.s.host.Until(func() bool { return d.UUID() != "" }, d.s.host.Now()+within) {
		d.s.Fail("%s is not onboarded within %v: %s", d.name, within, d.trouble())
	}
}

// trouble is what the device says is in its way.
func (d *D) trouble() string {
	var out []string
	if c := Get(d, node.Client, entity.Global); c != nil {
		out = append(out, "onboarding is at "+c.Step+" "+c.Error)
	}
	if n := Get(d, network.DNS, entity.Global); n != nil {
		out = append(out, "network is "+n.State.String())
		for _, p := range n.Ports {
			if p.HasError() {
				out = append(out, p.Logicallabel+": "+p.Error)
			}
		}
	}
	return strings.Join(out, "; ")
}

// UUID is what the controller calls the device, empty until it is onboarded.
func (d *D) UUID() string {
	if o := Get(d, node.Onboarding, entity.Global); o != nil && o.DeviceUUID != "" {
		d.uuid = o.DeviceUUID
		return d.uuid
	}
	return ""
}

// Known reports whether the controller knows the device, be it on or off.
func (d *D) Known() bool { return d.UUID() != "" || d.uuid != "" }

// Get is a row of a device, nil if there is none.
func Get[V bus.Row](d *D, t bus.Topic[V], key string) (row *V) {
	if m, ok := d.m.(Tables); ok {
		return decode[V](m.Row(t.Decl, key))
	}
	d.m.Read(func(k *host.Kernel) { row = twin.Row(k, t, key) })
	return row
}

// Rows are all rows of a topic of a device.
func Rows[V bus.Row](d *D, t bus.Topic[V]) (rows []*V) {
	if m, ok := d.m.(Tables); ok {
		return Shown(m, t)
	}
	d.m.Read(func(k *host.Kernel) { rows = twin.Rows(k, t) })
	return rows
}

// Shown are all rows of a topic of a machine whose rows are read from outside.
func Shown[V bus.Row](m Tables, t bus.Topic[V]) (rows []*V) {
	for _, key := range m.Keys(t.Decl) {
		if row := decode[V](m.Row(t.Decl, key)); row != nil {
			rows = append(rows, row)
		}
	}
	return rows
}

// decode reads a row; one that went meanwhile is nil.
func decode[V bus.Row](row []byte) *V {
	if row == nil {
		return nil
	}
	v := new(V)
	if err := json.Unmarshal(row, v); err != nil {
		panic(failure{fmt.Sprintf("read a row of %T: %v", *v, err)})
	}
	return v
}

// Record does f with what the controller knows of the device.
func (d *D) Record(f func(r *fleet.Device)) {
	d.s.host.With(func(c *controllersim.Controller) {
		d.UUID()
		r, ok := c.Fleet().Device(d.uuid)
		if !ok {
			d.s.Fail("the controller does not know %s", d.name)
		}
		f(r)
	})
}

// drafter is a host that has something to say in every configuration.
type drafter interface {
	Draft(d *fleet.Draft) *fleet.Draft
}

// Config is the device's configuration as a draft; change it and Apply it.
func (d *D) Config() *fleet.Draft {
	if d.draft == nil {
		d.draft = fleet.NewDraft(d.name)
		if h, ok := d.s.host.(drafter); ok {
			d.draft = h.Draft(d.draft)
		}
	}
	return d.draft
}

// Set gives the device a configuration without waiting for it, and returns its version.
func (d *D) Set(draft *fleet.Draft) (version string) {
	cfg, err := draft.Build()
	d.s.Must(err)
	d.Record(func(r *fleet.Device) {
		version, err = r.SetConfig(fleet.Change{Config: cfg, At: d.wall()})
	})
	d.s.Must(err)
	return version
}

// clocked is a host that knows what time it is for the controller.
type clocked interface{ Wall() time.Time }

func (d *D) wall() (t time.Time) {
	if h, ok := d.s.host.(clocked); ok {
		return h.Wall()
	}
	d.m.Read(func(k *host.Kernel) {
		if k != nil {
			t = k.Wall()
		}
	})
	return t
}

// Apply gives the device a configuration and waits until it has taken it.
func (d *D) Apply(draft *fleet.Draft) {
	v := d.Set(draft)
	within := 5 * time.Minute
	if !d.s.host.Until(func() bool { return d.ConfigVersion() == v }, d.s.host.Now()+within) {
		d.s.Fail("%s does not have configuration %s within %v but %q", d.name, v, within,
			d.ConfigVersion())
	}
}

// ConfigVersion is the version of the configuration in force, empty before the first.
func (d *D) ConfigVersion() string {
	if z := Get(d, node.ZedAgent, "zedagent"); z != nil {
		return z.ConfigVersion
	}
	return ""
}

// MgmtPort is the logical label of the port that the last answer of the controller came over: the
// first management port without an error.
func (d *D) MgmtPort() any {
	n := Get(d, network.DNS, entity.Global)
	if n == nil {
		return ""
	}
	best, cost := "", 256
	for i := range n.Ports {
		p := &n.Ports[i]
		if p.IsMgmt && len(p.Addrs()) > 0 && p.TestResults.Working() && int(p.Cost) < cost {
			best, cost = p.Logicallabel, int(p.Cost)
		}
	}
	return best
}

// DPC is the key of the port configuration in use.
func (d *D) DPC() any {
	if n := Get(d, network.DNS, entity.Global); n != nil {
		return n.DPCKey
	}
	return ""
}

// App is the status of an application by its name in the draft, nil before there is one.
func (d *D) App(name string) *app.AppInstanceStatus {
	return Get(d, app.Statuses, d.Config().AppID(name))
}

// AppState returns a function for Eventually: the state of an application by name, "" without one.
func (d *D) AppState(name string) func() any {
	return func() any {
		if a := d.App(name); a != nil {
			return a.State.String()
		}
		return ""
	}
}

// AppError returns a function for Eventually: the error of an application, "" without one.
func (d *D) AppError(name string) func() any {
	return func() any {
		if a := d.App(name); a != nil {
			return a.Error
		}
		return ""
	}
}

// Reported returns a function for Eventually: the state of an application that the controller was
// told last, as the API names it; "" before the first.
func (d *D) Reported(name string) func() any {
	return func() any {
		var out string
		d.Record(func(r *fleet.Device) {
			if a := r.AppInfo(d.Config().AppID(name)); a != nil {
				out = a.GetState().String()
			}
		})
		return out
	}
}

// Crash ends an agent as if its process died.
func (d *D) Crash(agent string) { d.m.Crash(agent) }

// PowerCut takes the power away for a while.
func (d *D) PowerCut(off time.Duration) { d.m.PowerCut(off) }

// Agents are the names of the device's agents.
func (d *D) Agents() (out []string) {
	if m, ok := d.m.(Tables); ok {
		return m.Agents()
	}
	d.m.Read(func(k *host.Kernel) {
		if k == nil {
			return
		}
		for _, p := range k.Procs() {
			out = append(out, p.Name)
		}
	})
	return out
}

// String is the device's name.
func (d *D) String() string { return fmt.Sprintf("device %s", d.name) }
