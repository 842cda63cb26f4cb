package netkernel

import (
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Way is a route or a rule of routing. Its key says all that matters of it to the part that laid
// it, so that one of the kernel and one that should be there compare.
type Way struct {
	Key string
	// Route or Rule is nil.
	Route *netlink.Route
	Rule  *netlink.Rule
}

// Destination is where a route leads; a default route of the kernel has none.
func Destination(r *netlink.Route) netip.Prefix {
	if p := Prefix(r.Dst); p.IsValid() {
		return p
	}
	return All(r.Family == netlink.FAMILY_V6)
}

// Among reports whether a list has it.
func (w Way) Among(list []Way) bool {
	return slices.ContainsFunc(list, func(o Way) bool { return o.Key == w.Key })
}

// Lay adds a route or a rule.
func (k *Kernel) Lay(w Way) error {
	if w.Rule != nil {
		return k.didBut(unix.EEXIST, k.RuleAdd(w.Rule), "add the rule %s", w.Rule)
	}
	return k.Did(k.RouteReplace(w.Route), "add the route %s", w.Route)
}

// Lift removes a route or a rule.
func (k *Kernel) Lift(w Way) error {
	if w.Rule != nil {
		return k.didBut(unix.ENOENT, k.RuleDel(w.Rule), "remove the rule %s", w.Rule)
	}
	return k.didBut(unix.ESRCH, k.RouteDel(w.Route), "remove the route %s", w.Route)
}
