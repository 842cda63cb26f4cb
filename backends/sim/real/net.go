package real

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sort"
	"strings"
	"sync"

	device "github.com/evetwin/evetwin/core/device/bridge"

	"github.com/evetwin/evetwin/backends/sim/qemu/usernet"
)

// Nets follows the items of the part bridge with user-mode networks for real guests: one per
// bridge, the reservations of its service, and a forward on loopback for each mapped port.
type Nets struct {
	// OnForward is told of each forward: application, mapped port, and where it listens.
	OnForward func(app string, port uint16, at netip.AddrPort)

	mu       sync.Mutex
	nets     map[string]*usernet.Network
	hosts    map[string]map[string]bool
	forwards map[string][]*usernet.Forward
	vifs     map[string]string // interface → bridge
	faults   []string
}

// NewNets makes the follower.
func NewNets() *Nets {
	return &Nets{nets: map[string]*usernet.Network{}, hosts: map[string]map[string]bool{},
		forwards: map[string][]*usernet.Forward{}, vifs: map[string]string{}}
}

// Changed follows a set (with its spec) or cleared (nil) item.
func (n *Nets) Changed(item string, s *device.Spec) {
	n.mu.Lock()
	defer n.mu.Unlock()
	kind, name, _ := strings.Cut(item, "/")
	var err error
	switch {
	case kind == "service" && s != nil && s.Service != nil:
		err = n.service(name, s.Service)
	case kind == "vif" && s != nil && s.Vif != nil:
		err = n.vif(name, s.Vif)
	case kind == "vif":
		n.dropForwards(name)
		delete(n.vifs, name)
	case kind == "bridge" && s == nil:
		if net := n.nets[name]; net != nil {
			err = net.Close()
			delete(n.nets, name)
			delete(n.hosts, name)
		}
	}
	if err != nil {
		n.faults = append(n.faults, fmt.Sprintf("follow %s: %v", item, err))
	}
}

func (n *Nets) service(bridge string, s *device.ServiceSpec) error {
	net1 := n.nets[bridge]
	if net1 == nil {
		made, err := usernet.New(usernet.Options{Name: bridge, Subnet: s.Subnet, Gateway: s.Gateway,
			Domain: s.Domain, MTU: int(s.MTU)})
		if err != nil {
			return err
		}
		net1 = made
		n.nets[bridge], n.hosts[bridge] = net1, map[string]bool{}
	}
	now := map[string]bool{}
	for _, h := range s.Hosts {
		mac, err := net.ParseMAC(h.MAC)
		if err != nil {
			return err
		}
		now[h.MAC] = true
		g := usernet.Guest{MAC: mac, IP: h.IP}
		for _, x := range s.Names {
			for _, ip := range x.IPs {
				if ip == h.IP {
					g.Names = append(g.Names, x.Name)
				}
			}
		}
		if err := net1.AddGuest(g); err != nil {
			return err
		}
	}
	for mac := range n.hosts[bridge] { //order: removals do not depend on each other
		if !now[mac] {
			hw, _ := net.ParseMAC(mac)
			net1.RemoveGuest(hw)
		}
	}
	n.hosts[bridge] = now
	return nil
}

func (n *Nets) vif(name string, s *device.VifSpec) error {
	n.vifs[name] = s.Bridge
	n.dropForwards(name)
	net1 := n.nets[s.Bridge]
	if net1 == nil || !s.Up {
		return nil
	}
	for _, m := range s.PortMaps {
		if m.Protocol != "tcp" {
			continue
		}
		f, err := net1.Forward(netip.MustParseAddrPort("127.0.0.1:0"),
			netip.AddrPortFrom(m.Target, m.ToPort))
		if err != nil {
			return err
		}
		n.forwards[name] = append(n.forwards[name], f)
		if n.OnForward != nil {
			n.OnForward(s.AppID, m.Port, f.Local())
		}
	}
	return nil
}

func (n *Nets) dropForwards(name string) {
	for _, f := range n.forwards[name] {
		_ = f.Close()
	}
	delete(n.forwards, name)
}

// Attach plugs a guest's interface in and returns the socket for QEMU, and a channel that is
// closed when the guest has its address.
func (n *Nets) Attach(vif, mac string) (*os.File, <-chan struct{}, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	net1 := n.nets[n.vifs[vif]]
	if net1 == nil {
		return nil, nil, fmt.Errorf("attach %s: its bridge has no network", vif)
	}
	f, err := net1.Attach()
	if err != nil {
		return nil, nil, fmt.Errorf("attach %s: %w", vif, err)
	}
	hw, err := net.ParseMAC(mac)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("attach %s: %w", vif, err)
	}
	return f, net1.Leased(hw), nil
}

// Faults are what could not be followed.
func (n *Nets) Faults() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.faults...)
}

// Close ends all networks and forwards.
func (n *Nets) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for v := range n.forwards { //order: sorted below
		names = append(names, v)
	}
	sort.Strings(names)
	for _, v := range names {
		n.dropForwards(v)
	}
	for b, net1 := range n.nets { //order: each is closed on its own
		_ = net1.Close()
		delete(n.nets, b)
	}
}
