package zedrouter

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/network"
)

// application is the connectivity of an application as this turn finds it.
type application struct {
	id   string
	cfg  *network.AppNetworkConfig // nil: on its way out
	rev  uint64
	old  *network.AppNetworkStatus // nil if it is new
	num  int                       // 0: none was free
	errs []string
	// await says that a network instance is not there yet.
	await    bool
	up       bool // its interfaces should be attached
	adapters []*adapter
}

// adapter is an interface of an application.
type adapter struct {
	app    string
	name   string // display name of the application, by which it resolves
	cfg    *network.AppNetAdapterConfig
	ni     *instance // nil: not there
	index  int       // from 1
	vif    string
	mac    string
	ip     netip.Addr // zero on a switch, or if none was given
	number int        // of the interface on its instance, -1: none
	rules  []bridge.Rule
	maps   []portMap
	err    string
	// kept is the form that is applied and stays: the wished one is wrong, or not known yet.
	kept *bridge.VifSpec
}

// takeApplications lists the wished applications, those on their way out, and their interfaces.
func (s *sheet) takeApplications() {
	for id, c := range s.z.apps.All() {
		a := &application{id: id, cfg: c, rev: s.z.apps.Rev(id), old: s.z.appStatus.Get(id),
			num: s.number(appNum, id)}
		for i := range c.AppNetAdapterList {
			a.adapters = append(a.adapters, s.adapter(a, i))
		}
		s.apps = append(s.apps, a)
	}
	for id, old := range s.z.appStatus.All() {
		if s.z.apps.Gone(id) {
			s.apps = append(s.apps, &application{id: id, rev: old.Of, old: old, num: old.AppNum})
		}
	}
	slices.SortFunc(s.apps, func(a, b *application) int {
		return cmp.Or(cmp.Compare(b.age(), a.age()), cmp.Compare(a.num, b.num),
			cmp.Compare(a.id, b.id))
	})
}

// age orders applications that compete: what is connected as it is wished comes before what was
// edited or refused, and that before what is not connected. So an edit takes nothing from others.
func (a *application) age() int {
	switch {
	case a.old == nil || !a.old.Activated:
		return 0
	case a.old.Of != a.rev || a.old.Error != "":
		return 1
	}
	return 2
}

func (s *sheet) adapter(a *application, i int) *adapter {
	c := &a.cfg.AppNetAdapterList[i]
	d := &adapter{app: a.id, name: a.cfg.DisplayName, cfg: c, index: i + 1, number: -1,
		ni: s.byID[c.Network]}
	if a.num == 0 {
		return d
	}
	d.vif = vifName(d.index, a.num)
	if d.mac = c.AppMacAddr; d.mac == "" && d.ni != nil {
		d.mac = guestMAC(d.ni.cfg.Type, a.id, c.Network, d.index, a.num)
	}
	return d
}

// seen is the form in which an interface is applied, nil if it is not.
func (s *sheet) seen(vif string) *bridge.VifSpec {
	if row := s.z.items.Get("vif/" + vif); row != nil {
		return row.Spec.Vif
	}
	return nil
}

// connect finds what is wrong with an application and gives its interfaces their addresses. The
// network instances, and the applications that came before it, have been looked at.
func (s *sheet) connect(a *application) {
	if a.cfg == nil || !a.cfg.Activate {
		return
	}
	was := a.old != nil && a.old.Activated
	if a.num == 0 {
		a.errs = append(a.errs, "no application number is free, all "+itoa(highest)+" are taken")
		return
	}
	for _, d := range a.adapters {
		s.check(a, d)
	}
	ready := !a.await && !a.failed()
	if !was && ready && s.crowded(a) {
		a.errs = append(a.errs, "no more than "+itoa(maxVifs)+" interfaces of applications are supported")
		return
	}
	if was || ready {
		for _, d := range a.adapters {
			s.address(a, d)
		}
		ready = ready && !a.failed()
	}
	a.collect()
	if a.up = was || ready; a.up {
		s.attach(a)
	}
}

// failed reports whether an interface has an error.
func (a *application) failed() bool {
	return slices.ContainsFunc(a.adapters, func(d *adapter) bool { return d.err != "" })
}

// collect makes the errors of the interfaces those of the application.
func (a *application) collect() {
	for _, d := range a.adapters {
		if d.err != "" && !slices.Contains(a.errs, d.err) {
			a.errs = append(a.errs, d.err)
		}
	}
}

// check looks at one interface: what its configuration says, its instance, its rules.
func (s *sheet) check(a *application, d *adapter) {
	n := d.ni
	switch {
	case d.cfg.Error != "":
		d.err = d.cfg.Error
	case n == nil:
		a.await = true
	case !supported(n.cfg):
		d.err = unsupported(n.cfg.Type)
	case n.gone || !n.active:
		a.await = true
	}
	if n == nil || d.err != "" {
		return
	}
	if d.rules, d.maps, d.err = n.translate(d.cfg.ACLs); d.err != "" {
		d.err = "interface " + d.cfg.Name + ": " + d.err
		return
	}
	if text := s.overlap(a, d); text != "" {
		d.err = text
		return
	}
	if text := n.named(a); text != "" {
		d.err = text
	}
}

// named says that another application on the instance has the same name, by which it would resolve.
func (n *instance) named(a *application) string {
	for _, g := range n.guests {
		if n.local() && g.app != a.id && g.name != "" && strings.EqualFold(g.name, a.cfg.DisplayName) {
			return "display name " + a.cfg.DisplayName + " is taken by application " + g.app +
				" on network instance " + n.cfg.DisplayName
		}
	}
	return ""
}

// attach takes note of what interfaces use from now on. One with an error stays as it is applied,
// or is not attached.
func (s *sheet) attach(a *application) {
	for _, d := range a.adapters {
		if d.err != "" || d.ni == nil {
			s.keep(d, s.seen(d.vif))
			continue
		}
		if d.number >= 0 {
			s.take(network.AppInterfaceToNum{NetInstID: d.cfg.Network, AppID: a.id,
				IfIdx: d.cfg.IfIdx, Number: d.number})
		}
		s.vifs++
		d.ni.guests = append(d.ni.guests, d)
		s.maps = append(s.maps, d.taken()...)
	}
}

// maxVifs bounds the interfaces of all applications together.
const maxVifs = 1000

// crowded reports whether the interfaces of an application that is not connected yet are too many
// beside those of the others, or beside those that have a number on flash.
func (s *sheet) crowded(a *application) bool {
	fresh := 0
	for _, d := range a.adapters {
		row := network.AppInterfaceToNum{NetInstID: d.cfg.Network, AppID: a.id, IfIdx: d.cfg.IfIdx}
		if s.z.interfaces.Get(row.Key()) == nil {
			fresh++
		}
	}
	return s.vifs+len(a.adapters) > maxVifs || fresh > 0 && s.z.interfaces.Len()+fresh > maxVifs
}

// keep leaves an interface as it is applied.
func (s *sheet) keep(d *adapter, v *bridge.VifSpec) {
	if v == nil {
		return
	}
	s.vifs++
	d.kept, d.mac, d.ip = v, v.MAC, v.IP
	if d.ni = s.byID[v.Network]; d.ni != nil {
		d.ni.guests = append(d.ni.guests, d)
		for _, m := range v.PortMaps {
			s.maps = append(s.maps, mapped{app: d.app, ni: d.ni, proto: m.Protocol, port: m.Port,
				ports: d.ni.labels(m.In)})
		}
	}
	s.wish("vif/"+d.vif, bridge.Spec{Vif: v})
}

// keepStrays leaves the interfaces of applications alone of which it is not known that they are
// gone: those that run while their configuration is yet to come.
func (s *sheet) keepStrays() {
	for key, row := range s.z.items.All() {
		v := row.Spec.Vif
		if v == nil || s.z.apps.Get(v.AppID) != nil {
			continue
		}
		if s.appGone(v.AppID) || s.z.apps.Gone(v.AppID) && s.z.appStatus.Get(v.AppID) != nil {
			continue
		}
		s.keep(&adapter{app: v.AppID, name: s.resolved(v), vif: strings.TrimPrefix(key, "vif/"),
			number: -1}, v)
	}
}

// resolved is the name by which a guest resolves as it is applied, empty if it does not.
func (s *sheet) resolved(v *bridge.VifSpec) string {
	row := s.z.items.Get("service/" + v.Bridge)
	if row == nil || row.Spec.Service == nil || !v.IP.IsValid() {
		return ""
	}
	for _, n := range row.Spec.Service.Names {
		if slices.Contains(n.IPs, v.IP) {
			return n.Name
		}
	}
	return ""
}
