package dryrun

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// collect makes the report of an instant. k is nil while the device is off; known is what earlier
// looks at the same kernel have found.
func collect(k *host.Kernel, known hearsay) *Report {
	r := &Report{Ports: []Port{}, PortConfigs: []PortPlan{}, NetworkInstances: []Instance{},
		Content: []Content{}, Volumes: []Volume{}, Applications: []App{}, Errors: []Trouble{},
		UnknownFields: []string{}, MadeUp: []string{}, Notes: []string{}}
	if k == nil {
		r.wait("the device is off")
		return r
	}
	o := twin.Row(k, node.Onboarding, entity.Global)
	r.Onboarded = o != nil && o.DeviceUUID != ""
	z := twin.Row(k, node.ZedAgent, "zedagent")
	switch {
	case !r.Onboarded:
		r.wait("onboarding")
	case z == nil || z.LastProcessedConfig.IsZero():
		r.wait("the configuration is not processed")
	case z.RebootCmd || z.ShutdownCmd || z.PoweroffCmd:
		r.wait("a command to the device is carried out")
	}
	if h := twin.Row(k, hyper.Host, hyper.HostSeen{}.Key()); h != nil {
		r.Arch = h.Arch
	}
	r.network(k)
	r.instances(k)
	r.content(k)
	r.volumes(k)
	r.apps(k)
	r.Errors = append(r.Errors, troubles(k, known)...)
	return r
}

func (r *Report) wait(what string) { r.busy = append(r.busy, what) }

func (r *Report) network(k *host.Kernel) {
	d := twin.Row(k, network.DNS, entity.Global)
	if d == nil {
		r.wait("the network has no status")
		return
	}
	if d.Testing || d.State.InProgress() {
		r.wait("port configuration " + d.DPCKey + " is under test")
	}
	for i := range d.Ports {
		p := &d.Ports[i]
		r.Ports = append(r.Ports, Port{Label: p.Logicallabel, Interface: p.IfName, Up: p.Up,
			Mgmt: p.IsMgmt, Addresses: texts(p.Addrs()), DNS: texts(p.DNSServers), Error: p.Error})
	}
	l := twin.Row(k, network.DPCL, entity.Global)
	if l == nil {
		return
	}
	for i := range l.PortConfigList {
		c := &l.PortConfigList[i]
		one := PortPlan{Key: c.DPCKey, State: c.State.String(), InUse: i == d.CurrentIndex}
		if !c.Working() {
			one.Error = c.LastError
		}
		if one.InUse && d.DPCKey == c.DPCKey {
			one.State = d.State.String()
		}
		r.PortConfigs = append(r.PortConfigs, one)
	}
}

func texts(list []netip.Addr) []string {
	out := make([]string, 0, len(list))
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

func (r *Report) instances(k *host.Kernel) {
	for _, c := range twin.Rows(k, network.Instances) {
		one := Instance{ID: c.UUID, Name: c.DisplayName, Type: c.Type.String(), State: "INIT",
			Error: c.Error}
		s := twin.Row(k, network.InstanceStatus, c.UUID)
		busy := s == nil
		if s != nil {
			one.Error = cmp.Or(s.NetworkErr.Error, c.Error)
			busy = s.ChangeInProgress
			switch {
			case s.Activated:
				one.State = "ONLINE"
			case !c.Activate:
				one.State = "OFFLINE"
			}
		}
		if one.Error != "" {
			one.State = "ERROR"
		} else if busy {
			r.wait("network instance " + one.Name)
		}
		r.NetworkInstances = append(r.NetworkInstances, one)
	}
}

func (r *Report) content(k *host.Kernel) {
	for _, c := range twin.Rows(k, content.Trees) {
		one := Content{ID: c.ContentID, Name: c.DisplayName, State: entity.INITIAL.String(),
			Error: c.ParseError}
		s := twin.Row(k, content.TreeStatuses, c.Key())
		busy := s == nil
		if s != nil {
			one.State, one.Progress = s.State.String(), int(s.Progress)
			one.Error, busy = cmp.Or(s.Error, c.ParseError), moving(s.State)
		}
		if one.Error == "" && busy {
			r.wait("content tree " + one.Name + " (" + one.State + ")")
		}
		r.Content = append(r.Content, one)
	}
}

func (r *Report) volumes(k *host.Kernel) {
	for _, c := range twin.Rows(k, volume.Configs) {
		one := Volume{ID: c.VolumeID, Name: c.DisplayName, State: entity.INITIAL.String(),
			Error: c.ParseError}
		s := twin.Row(k, volume.Statuses, c.Key())
		busy := s == nil
		if s != nil {
			one.State, one.Progress = s.State.String(), int(s.Progress)
			one.Error, busy = cmp.Or(s.Error, c.ParseError), moving(s.State)
		}
		if one.Error == "" && busy {
			r.wait("volume " + one.Name + " (" + one.State + ")")
		}
		r.Volumes = append(r.Volumes, one)
	}
}

func (r *Report) apps(k *host.Kernel) {
	for _, c := range twin.Rows(k, app.Configs) {
		one := App{ID: c.UUID, Name: c.DisplayName, State: entity.INITIAL.String(),
			Addresses: []string{}}
		if len(c.Errors) > 0 {
			one.Error = c.Errors[0]
		}
		s := twin.Row(k, app.Statuses, c.UUID)
		busy := s == nil
		if s != nil {
			one.State, one.Error = s.State.String(), cmp.Or(s.Error, one.Error)
			one.Addresses = append(one.Addresses, addresses(s)...)
			busy = moving(s.State) || s.PurgeInprogress != app.NotInprogress ||
				s.RestartInprogress != app.NotInprogress
		}
		if one.Error == "" && busy {
			r.wait("application " + one.Name + " (" + one.State + ")")
		}
		r.Applications = append(r.Applications, one)
	}
}

// addresses are those that the guest was seen to have, or that are kept for it.
func addresses(s *app.AppInstanceStatus) []string {
	var out []netip.Addr
	for i := range s.AppNetAdapters {
		a := &s.AppNetAdapters[i]
		if len(a.AssignedAddresses) > 0 {
			out = append(out, a.AssignedAddresses...)
		} else if a.AllocatedIPv4Addr.IsValid() {
			out = append(out, a.AllocatedIPv4Addr)
		}
	}
	return slices.Compact(texts(out))
}

// moving reports whether something in this state is on its way to another.
func moving(s entity.SwState) bool {
	switch s {
	case entity.RESOLVING_TAG, entity.DOWNLOADING, entity.VERIFYING, entity.LOADING,
		entity.CREATING_VOLUME, entity.START_DELAYED, entity.BOOTING, entity.PAUSING, entity.HALTING:
		return true
	}
	return false
}
