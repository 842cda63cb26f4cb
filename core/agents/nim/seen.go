package nim

import (
	"strings"

	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/plan"
)

// seenItems lists what is applied, and the physical interfaces, which are nobody's to make.
func (s *sheet) seenItems() []plan.Item {
	var out []plan.Item
	for name, l := range s.n.links.All() {
		if l.Physical {
			out = append(out, plan.Item{Key: plan.Key(kindIf, name), External: true})
		}
	}
	for _, row := range s.n.items.All() {
		out = append(out, item(row.Item, row.Spec, s.standsOn(row.Item, &row.Spec)...))
	}
	return out
}

// applied reports whether there is an item of a kind for an interface.
func (s *sheet) applied(kind, name string) bool {
	return s.n.items.Get(plan.Key(kind, name)) != nil
}

// standsOn is what an applied item needs, as its spec and the other applied items tell.
func (s *sheet) standsOn(key string, spec *nic.Spec) []string {
	kind, name, _ := strings.Cut(key, "/")
	switch kind {
	case kindLink:
		return []string{plan.Key(kindIf, name)}
	case kindVLAN:
		if spec.VLAN != nil {
			return []string{plan.Key(kindLink, spec.VLAN.Parent)}
		}
	case kindStatic, kindDHCP:
		if s.applied(kindVLAN, name) {
			return []string{plan.Key(kindVLAN, name)}
		}
		return []string{plan.Key(kindLink, name)}
	case kindRoute:
		if s.applied(kindStatic, name) {
			return []string{plan.Key(kindStatic, name)}
		}
		return []string{plan.Key(kindDHCP, name)}
	}
	return nil
}
