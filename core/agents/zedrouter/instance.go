package zedrouter

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// instance is a network instance as this turn finds it.
type instance struct {
	id   string
	cfg  *network.NetworkInstanceConfig // in force: the newest that was valid
	rev  uint64
	old  *network.NetworkInstanceStatus // nil if it is new
	gone bool                           // not wished any more
	num  int                            // of the bridge, 0: none was free

	ports []*network.NetworkPortStatus
	errs  []string // of all slots, in their order
	stop  bool     // an error keeps it from becoming active
	clash bool     // its subnet is in conflict: all but its interfaces is taken down
	up    bool     // its items should be there
	// active is told to others: applications may be connected.
	active bool
	mtu    uint16
	routes []route
	guests []*adapter // interfaces that are or should be attached, in order of applications
}

func (n *instance) name() string { return "bn" + strconv.Itoa(n.num) }

// local reports whether it has addresses.
func (n *instance) local() bool { return n.cfg.Type == network.NILocal }

// served reports whether address service and translation should run.
func (n *instance) served() bool { return n.up && n.local() && !n.clash }

// takeInstances lists the wished instances, and those that are on their way out.
func (s *sheet) takeInstances() {
	for id, c := range s.z.instances.All() {
		n := &instance{id: id, cfg: c, rev: s.z.instances.Rev(id), old: s.z.status.Get(id)}
		if n.old != nil && n.old.Activated && refused(c) != "" {
			n.errs = append(n.errs, refused(c))
			n.cfg = &n.old.NetworkInstanceConfig // what runs stays as it is
		}
		if supported(n.cfg) {
			n.num = s.number(bridgeNum, id)
		}
		s.nis = append(s.nis, n)
	}
	for id, old := range s.z.status.All() {
		if s.z.instances.Get(id) == nil {
			s.nis = append(s.nis, &instance{id: id, cfg: &old.NetworkInstanceConfig, rev: old.Of,
				old: old, gone: s.z.instances.Gone(id), num: old.BridgeNum})
		}
	}
	slices.SortFunc(s.nis, func(a, b *instance) int {
		return cmp.Or(cmp.Compare(b.age(), a.age()), cmp.Compare(a.num, b.num),
			cmp.Compare(a.id, b.id))
	})
	for _, n := range s.nis {
		s.byID[n.id] = n
	}
}

// age orders instances that compete: what is active comes before what is not.
func (n *instance) age() int {
	if n.old != nil && n.old.Activated {
		return 1
	}
	return 0
}

func supported(c *network.NetworkInstanceConfig) bool {
	return c.Type == network.NILocal || c.Type == network.NISwitch
}

// refused is what is wrong with a configuration, empty if nothing.
func refused(c *network.NetworkInstanceConfig) string {
	switch {
	case c.HasError():
		return c.Error
	case !supported(c):
		return unsupported(c.Type)
	case c.Type == network.NISwitch:
		return ""
	case !c.Subnet.IsValid():
		return "a local network instance needs a subnet"
	case !c.Subnet.Contains(c.Gateway):
		return "gateway " + c.Gateway.String() + " is not in subnet " + c.Subnet.String()
	case !c.Subnet.Contains(c.DhcpRange.Start) || !c.Subnet.Contains(c.DhcpRange.End) ||
		c.DhcpRange.End.Less(c.DhcpRange.Start):
		return "DHCP range " + c.DhcpRange.Start.String() + " to " + c.DhcpRange.End.String() +
			" does not lie in subnet " + c.Subnet.String()
	}
	return ""
}

// unsupported says that a type of instance is not carried out.
func unsupported(t network.NIType) string {
	return "network instance type " + strconv.Itoa(int(t)) + " is not supported (" + t.String() + ")"
}

// judge finds what is wrong with an instance and what should be of it. Those that came before it
// have been judged.
func (s *sheet) judge(n *instance) {
	was := n.old != nil && n.old.Activated
	if n.gone && !s.held(n) {
		return // to be taken down
	}
	if len(n.errs) == 0 && !n.gone {
		n.block(refused(n.cfg))
	}
	if n.stop {
		return
	}
	if n.num == 0 {
		n.block("no bridge number is free, all " + strconv.Itoa(highest) + " are taken")
	}
	ready := s.choosePorts(n)
	if text := s.conflict(n); text != "" {
		n.block(text)
		n.clash = true
	}
	s.chooseMTU(n)
	n.up = n.cfg.Activate && n.num > 0 && (was || ready && !n.stop)
	if n.served() {
		s.chooseRoutes(n)
	}
	n.active = n.up && (was || s.inPlace(n))
}

// block notes an error that keeps an instance from becoming active; empty is none.
func (n *instance) block(text string) {
	if text != "" {
		n.errs = append(n.errs, text)
		n.stop = true
	}
}

// held reports whether an application is still connected: then the instance has to stay.
func (s *sheet) held(n *instance) bool {
	for _, a := range s.z.apps.All() {
		for i := range a.AppNetAdapterList {
			if a.AppNetAdapterList[i].Network == n.id {
				return true
			}
		}
	}
	return s.attached("", n.id)
}

// inPlace reports whether the part has the instance's own items.
func (s *sheet) inPlace(n *instance) bool {
	if !s.applied("bridge/"+n.name(), bridge.Spec{Bridge: n.bridgeSpec(s.device())}) {
		return false
	}
	return !n.local() || s.z.items.Get("service/"+n.name()) != nil &&
		(len(n.ports) == 0 || s.z.items.Get("nat/"+n.name()) != nil)
}

func (s *sheet) device() string {
	if o := s.z.onboarded.Get(entity.Global); o != nil {
		return o.DeviceUUID
	}
	return ""
}

// bridgeSpec is the bridge of an instance; in a conflict it loses its address and nothing else.
func (n *instance) bridgeSpec(device string) *bridge.BridgeSpec {
	out := &bridge.BridgeSpec{MAC: bridgeMAC(device, n.num), MTU: n.mtu}
	if n.local() {
		if !n.clash {
			out.Addr = netip.PrefixFrom(n.cfg.Gateway, n.cfg.Subnet.Bits())
		}
		return out
	}
	for _, p := range n.ports {
		out.Ports = append(out.Ports, p.IfName)
	}
	out.STP, out.ForwardLLDP = len(out.Ports) > 1, n.cfg.ForwardLLDP
	return out
}
