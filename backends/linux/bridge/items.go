package bridge

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netpart"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// split splits an item's key.
func split(item string) (kind, name string) {
	kind, name, _ = strings.Cut(item, "/")
	return kind, name
}

// set makes an item be as its spec says.
func (m *machine) set(item string, s device.Spec) error {
	kind, name := split(item)
	if err := fits(kind, name, &s); err != nil {
		return err
	}
	if err := m.base(kind, name, &s); err != nil {
		return err
	}
	was := m.specs[item]
	return m.keep(item, s, func() error {
		switch kind {
		case "bridge":
			if err := m.setBridge(name, s.Bridge); err != nil {
				return err
			}
			return m.afresh(false)
		case "service":
			return m.serve(name)
		case "nat":
			return m.setNAT(name, s.NAT)
		}
		return m.setGuest(name, s.Vif, was.Vif)
	})
}

// setNAT lays the routes of an instance and puts its translation in force.
func (m *machine) setNAT(name string, s *device.NATSpec) error {
	for _, out := range s.Out {
		if err := m.k.Sysctl("ipv4/conf/"+out+"/forwarding", "1"); err != nil {
			return err
		}
	}
	d, err := m.dump()
	if err != nil {
		return err
	}
	if err := m.settleWays(name, s, d); err != nil {
		return err
	}
	return m.translate(d)
}

// setGuest attaches a guest's interface and maps its ports. Flows of ports that are not mapped any
// more end.
func (m *machine) setGuest(name string, s, was *device.VifSpec) error {
	if err := m.logAs(name, s, was); err != nil {
		return err
	}
	if err := m.setVif(name, s); err != nil {
		return err
	}
	if err := m.afresh(len(s.PortMaps) > 0 || was != nil && len(was.PortMaps) > 0); err != nil {
		return err
	}
	if err := m.forget(); err != nil {
		return err
	}
	if was != nil && was.Bridge != s.Bridge {
		if err := m.told(was.Bridge); err != nil {
			return err
		}
	}
	return m.told(s.Bridge)
}

// told has the service of a bridge learn of a change of domain names in rules.
func (m *machine) told(bridge string) error {
	if m.spec("service/"+bridge) == nil || m.lost["service/"+bridge] {
		return nil
	}
	return m.serve(bridge)
}

// afresh replaces the translation, if it has to be or is not what it should be.
func (m *machine) afresh(needed bool) error {
	d, err := m.dump()
	if err != nil {
		return err
	}
	x := m.translation(d)
	m.inet = x.sizes()
	if !needed && m.members == x.members() && m.translated("", d) == (len(m.inet) > 0) &&
		d.counts["inet input"] == m.inet["input"] {
		return nil
	}
	return m.translate(d)
}

// keep writes a spec down before it is carried out. One that cannot be carried out is not kept:
// what stood before it is shown as far as it is there.
func (m *machine) keep(item string, s device.Spec, f func() error) error {
	was, had := m.specs[item]
	lost := m.lost[item]
	m.specs[item] = s
	delete(m.lost, item)
	err := m.save()
	if err == nil {
		err = f()
	}
	var r *netpart.Refusal
	if errors.As(err, &r) {
		delete(m.specs, item)
		if had {
			m.specs[item], m.lost[item] = was, lost
		}
		return errors.Join(err, m.save())
	}
	return err
}

// fits checks that a spec is one of the item's kind, and makes sense.
func fits(kind, name string, s *device.Spec) error {
	ok := map[string]bool{"bridge": s.Bridge != nil, "service": s.Service != nil,
		"nat": s.NAT != nil, "vif": s.Vif != nil}[kind]
	if !ok || name == "" || len(name) >= unix.IFNAMSIZ || strings.ContainsAny(name, "/ \t\n") {
		return netpart.Refuse("the spec does not fit the item")
	}
	if err := device.Sane(s); err != "" {
		return netpart.Refuse(err)
	}
	return nil
}

// base checks that what an item stands on is there, and that nobody else has what it wants.
func (m *machine) base(kind, name string, s *device.Spec) error {
	on := name
	if kind == "vif" {
		on = s.Vif.Bridge
	}
	if kind != "bridge" && (m.spec("bridge/"+on) == nil || m.lost["bridge/"+on]) {
		return netpart.Missing("there is no bridge " + on)
	}
	if kind != "vif" {
		return nil
	}
	for _, other := range m.items("vif") {
		if other != name && device.Contend(m.spec("vif/"+other).Vif, s.Vif) {
			return netpart.Refuse("a mapped port is taken by vif/" + other)
		}
	}
	return nil
}

// clear removes an item. What stood on it and is not seen any more, because somebody took it away,
// goes with it: nobody knows of it who could clear it.
func (m *machine) clear(item string) error {
	if m.spec(item) == nil {
		return nil
	}
	users := m.users(item)
	for _, user := range users {
		if m.shown[user] {
			return netpart.Busy(user)
		}
	}
	for _, x := range append(users, item) {
		if err := m.undo(x); err != nil {
			return err
		}
	}
	return m.save()
}

// undo takes out of the kernel what an item put there, and forgets the item.
func (m *machine) undo(item string) error {
	kind, name := split(item)
	s := m.specs[item]
	delete(m.specs, item)
	err := m.unset(kind, name, &s)
	if err != nil {
		m.specs[item] = s
		return err
	}
	delete(m.lost, item)
	return nil
}

func (m *machine) unset(kind, name string, s *device.Spec) error {
	switch kind {
	case "service":
		return m.silence(name)
	case "nat":
		d, err := m.dump()
		if err != nil {
			return err
		}
		if err := m.settleWays(name, nil, d); err != nil {
			return err
		}
		return m.translate(d)
	case "vif":
		if err := m.lastFlows(name, s.Vif); err != nil {
			return err
		}
		if err := m.detach(name); err != nil {
			return err
		}
		if err := m.fenceOut(name); err != nil {
			return err
		}
		if err := m.afresh(len(s.Vif.PortMaps) > 0); err != nil {
			return err
		}
		if err := m.forget(); err != nil {
			return err
		}
		return m.told(s.Vif.Bridge)
	}
	if err := m.afresh(true); err != nil {
		return err
	}
	delete(m.trees, name)
	l, err := m.k.Find(name)
	if err != nil || l == nil {
		return err
	}
	return m.k.Remove(l)
}

// users are the items that stand on the given one, sorted.
func (m *machine) users(item string) []string {
	kind, name := split(item)
	if kind != "bridge" {
		return nil
	}
	var out []string
	for key, s := range m.specs {
		if key == "service/"+name || key == "nat/"+name || s.Vif != nil && s.Vif.Bridge == name {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}
