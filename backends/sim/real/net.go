package real

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/qemu/usernet"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// Nets follows the items of the part bridge with user-mode networks for real guests: one per
// bridge, the reservations of its service, and a forward on loopback for each mapped port.
type Nets struct {
	// OnForward is told of each forward: application, protocol, mapped port, and where it listens.
	OnForward func(app, proto string, port uint16, at netip.AddrPort)
	// OnLease is told that the guest at an interface has taken an address, on any goroutine.
	OnLease func(vif string, ip netip.Addr)

	mu       sync.Mutex
	nets     map[string]*segment
	vifs     map[string]device.VifSpec
	forwards map[string]map[forwarded]*usernet.Forward

	plugs  sync.Mutex        // what the networks themselves may wait for
	cables map[string]*cable // by interface
}

// segment is the network of a bridge.
type segment struct {
	*usernet.Network
	addr  netip.Prefix
	hosts map[string]bool // MAC addresses that have a reservation
	lacks string          // why it is a switch alone, for people
}

// cable leads to the interface of a guest.
type cable struct {
	*usernet.Cable
	bridge, mac string
}

// forwarded is what makes two forwards of an interface the same.
type forwarded struct {
	proto  string
	port   uint16
	target netip.AddrPort
}

// NewNets makes the follower.
func NewNets() *Nets {
	n := &Nets{}
	n.reset()
	return n
}

func (n *Nets) reset() {
	n.nets, n.vifs = map[string]*segment{}, map[string]device.VifSpec{}
	n.forwards = map[string]map[forwarded]*usernet.Forward{}
	n.plugs.Lock()
	n.cables = map[string]*cable{}
	n.plugs.Unlock()
}

// Changed follows an item that is to be set, with its spec, or was cleared, nil. The error says
// why the item cannot be served to real guests; all is then as before.
func (n *Nets) Changed(item string, s *device.Spec) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	kind, name, _ := strings.Cut(item, "/")
	switch {
	case kind == "bridge" && s != nil && s.Bridge != nil:
		return n.bridge(name, s.Bridge)
	case kind == "bridge":
		return n.drop(name)
	case kind == "service" && s != nil && s.Service != nil:
		return n.service(name, s.Service)
	case kind == "service":
		return n.service(name, &device.ServiceSpec{})
	case kind == "vif" && s != nil && s.Vif != nil:
		return n.vif(name, s.Vif)
	case kind == "vif":
		n.keepForwards(name, nil)
		delete(n.vifs, name)
		n.plug(name)
	}
	return nil
}

// bridge makes the network of a bridge: with a gateway, where it has an address of IPv4.
func (n *Nets) bridge(name string, s *device.BridgeSpec) error {
	if seg := n.nets[name]; seg != nil {
		if seg.addr == s.Addr {
			return nil
		}
		if err := n.drop(name); err != nil {
			return err
		}
	}
	seg := &segment{addr: s.Addr, hosts: map[string]bool{}}
	o := usernet.Options{Name: name, MTU: int(s.MTU), OnLease: func(mac string, ip netip.Addr) {
		n.leased(name, mac, ip)
	}}
	switch {
	case !s.Addr.IsValid():
		seg.lacks = "it has no address of its own"
	case !s.Addr.Addr().Is4():
		seg.lacks = "there is no IPv6 in the network of guests in QEMU"
	default:
		o.Subnet, o.Gateway = s.Addr.Masked(), s.Addr.Addr()
	}
	made, err := usernet.New(o)
	if err != nil {
		return err
	}
	seg.Network = made
	n.nets[name] = seg
	return nil
}

// drop ends the network of a bridge.
func (n *Nets) drop(bridge string) error {
	seg := n.nets[bridge]
	if seg == nil {
		return nil
	}
	for _, vif := range disk.Keys(n.forwards) {
		if n.vifs[vif].Bridge == bridge {
			n.keepForwards(vif, nil)
		}
	}
	delete(n.nets, bridge)
	return seg.Close()
}

// service has a network serve the reservations of its bridge's service, and no others.
func (n *Nets) service(bridge string, s *device.ServiceSpec) error {
	seg := n.nets[bridge]
	if seg == nil || seg.lacks != "" {
		return nil
	}
	seg.SetTerms(s.Domain, int(s.MTU))
	now := map[string]bool{}
	for _, h := range s.Hosts {
		mac, err := net.ParseMAC(h.MAC)
		if err != nil {
			return err
		}
		now[mac.String()] = true
		g := usernet.Guest{MAC: mac, IP: h.IP}
		for _, x := range s.Names {
			for _, ip := range x.IPs {
				if ip == h.IP {
					g.Names = append(g.Names, x.Name)
				}
			}
		}
		if err := seg.AddGuest(g); err != nil {
			return err
		}
	}
	for mac := range seg.hosts { //order: removals do not depend on each other
		if hw, err := net.ParseMAC(mac); err == nil && !now[mac] {
			seg.RemoveGuest(hw)
		}
	}
	seg.hosts = now
	return nil
}

// vif plugs an interface in or out and maps its ports; a forward that stays the same is not
// touched.
func (n *Nets) vif(name string, s *device.VifSpec) error {
	seg := n.nets[s.Bridge]
	wanted := map[forwarded]bool{}
	var made []forwarded
	var err error
	for i := range s.PortMaps {
		m := &s.PortMaps[i]
		f := forwarded{m.Protocol, m.Port, netip.AddrPortFrom(m.Target, m.ToPort)}
		if !s.Up || wanted[f] {
			continue
		}
		wanted[f] = true
		if n.forwards[name][f] != nil {
			continue
		}
		if err = n.open(name, seg, f); err != nil {
			break
		}
		made = append(made, f)
	}
	if err != nil {
		for _, f := range made {
			_ = n.forwards[name][f].Close()
			delete(n.forwards[name], f)
		}
		return err
	}
	n.keepForwards(name, wanted)
	n.vifs[name] = *s
	n.plug(name)
	for _, f := range made {
		if n.OnForward != nil {
			n.OnForward(s.AppID, f.proto, f.port, n.forwards[name][f].Local())
		}
	}
	return nil
}

// open makes a forward.
func (n *Nets) open(vif string, seg *segment, f forwarded) error {
	what := fmt.Sprintf("map %s port %d to %v", f.proto, f.port, f.target)
	if seg == nil || seg.lacks != "" {
		why := "it is not there"
		if seg != nil {
			why = seg.lacks
		}
		return fmt.Errorf("%s: nothing leads into its bridge: %s", what, why)
	}
	local := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	listen := seg.Forward
	switch f.proto {
	case "tcp":
	case "udp":
		listen = seg.ForwardUDP
	default:
		return fmt.Errorf("%s: only tcp and udp can be mapped", what)
	}
	made, err := listen(local, f.target)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if n.forwards[vif] == nil {
		n.forwards[vif] = map[forwarded]*usernet.Forward{}
	}
	n.forwards[vif][f] = made
	return nil
}

// keepForwards ends all forwards of an interface but those that are wanted.
func (n *Nets) keepForwards(vif string, wanted map[forwarded]bool) {
	for f, x := range n.forwards[vif] { //order: each is closed on its own
		if !wanted[f] {
			_ = x.Close()
			delete(n.forwards[vif], f)
		}
	}
	if len(n.forwards[vif]) == 0 {
		delete(n.forwards, vif)
	}
}

// plug puts the cable of an interface where its item says.
func (n *Nets) plug(vif string) {
	n.plugs.Lock()
	defer n.plugs.Unlock()
	if c := n.cables[vif]; c != nil {
		s := n.vifs[vif]
		c.Plug(s.Up && s.Bridge == c.bridge)
	}
}

// Attach makes the cable of a guest's interface and returns the socket for QEMU.
func (n *Nets) Attach(vif, mac, bridge string) (*os.File, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	seg := n.nets[bridge]
	hw, err := net.ParseMAC(mac)
	if seg == nil {
		err = errors.Join(err, errors.New("its bridge has no network"))
	}
	if err != nil {
		return nil, fmt.Errorf("attach %s: %w", vif, err)
	}
	seg.Release(hw)
	made, err := seg.Cable()
	if err != nil {
		return nil, fmt.Errorf("attach %s: %w", vif, err)
	}
	n.plugs.Lock()
	for name, c := range n.cables { //order: each is judged on its own
		select {
		case <-c.Gone():
			delete(n.cables, name)
		default:
		}
	}
	n.cables[vif] = &cable{made, bridge, hw.String()}
	n.plugs.Unlock()
	n.plug(vif)
	return made.File, nil
}

// leased tells whose interface has taken an address.
func (n *Nets) leased(bridge, mac string, ip netip.Addr) {
	n.plugs.Lock()
	vif := ""
	for name, c := range n.cables { //order: one of them has it
		if c.bridge == bridge && c.mac == mac {
			vif = name
		}
	}
	tell := n.OnLease
	n.plugs.Unlock()
	if vif != "" && tell != nil {
		tell(vif, ip)
	}
}

// Close ends all networks and forwards; the next items begin anew.
func (n *Nets) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, v := range disk.Keys(n.forwards) {
		n.keepForwards(v, nil)
	}
	for _, b := range disk.Keys(n.nets) {
		_ = n.nets[b].Close()
	}
	n.reset()
}
