package msrv

import (
	"net/netip"
	"slices"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// outward is by which addresses a network instance is seen from outside: the IPv4 addresses of its
// ports. It tells a change of these from all else that moves in the rows they come from.
type outward struct {
	Instance string
	IPs      []netip.Addr // in the order of the ports
}

// Key is the instance's UUID.
func (o outward) Key() string { return o.Instance }

var outwards = bus.NewTopic[outward](bus.Decl{
	Owner: "msrv", Name: "Outward", Life: bus.Local, MaxPuts: 1000})

// lookOutward works out the addresses of instances that may have changed, and notes the
// applications on those where they did.
func (a *msrv) lookOutward(w *agent.Work) {
	if a.ports.Moved() {
		for id, n := range a.instances.All() {
			a.outwardOf(w, id, n)
		}
	}
	for id, d := range a.instances.Changed() {
		a.outwardOf(w, id, d.New)
	}
}

// outwardOf does so for one instance; nil: it is gone.
func (a *msrv) outwardOf(w *agent.Work, id string, n *network.NetworkInstanceStatus) {
	if n == nil {
		a.outward.Delete(id)
		return
	}
	next := outward{Instance: id}
	if dns := a.ports.Get(entity.Global); dns != nil && n.Type == network.NILocal {
		for i := range dns.Ports {
			if p := &dns.Ports[i]; slices.Contains(n.Ports, p.Logicallabel) {
				next.IPs = append(next.IPs, reachable(p)...)
			}
		}
	}
	if old := a.outward.Get(id); old != nil && slices.Equal(old.IPs, next.IPs) {
		return
	}
	a.outward.Put(next)
	for _, v := range n.Vifs {
		w.Add(v.AppID)
	}
}

// reachable are the IPv4 addresses of a port that are not those of its link alone.
func reachable(p *network.NetworkPortStatus) []netip.Addr {
	var out []netip.Addr
	for _, x := range p.AddrInfoList {
		if ip := x.Addr(); ip.Is4() && ip.IsGlobalUnicast() {
			out = append(out, ip)
		}
	}
	return out
}
