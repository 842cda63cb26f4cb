package world

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// ControllerLabel is the label under which SetServer knows the controller.
const ControllerLabel = "controller"

// Options of a World. All fields are optional.
type Options struct {
	// Draw gives the chance number n of a key: the same for the same key and n. Nil: a hash.
	Draw func(key string, n uint64) uint64
	// Controller serves the controller. Its Addrs and Ports stand back behind the host
	// section of the model, if that has some; without either it is 203.0.113.10 and
	// 2001:db8:ada::10, port 443. Its Names are public; the model's DNS servers know it as
	// their tables say (adam-ip). Nil: nothing listens there.
	Controller *Origin
	// Outside finds the server of the Internet with a name, or with an address where there is
	// no name; nil for none. A few well-known names (KnownOutside) exist where it gives none.
	Outside func(host string) *Origin
	// PublicCA signs the certificates of the well-known names; nil: they speak no TLS.
	PublicCA *Authority
	// Instance selects the ports of one device (eveInstance); empty: all ports.
	Instance string
	// OnCarrier is told of each change of a port's carrier, after it.
	OnCarrier func(port string, up bool)
}

// World is the network around one device. See the package's text for what it keeps to.
type World struct {
	m       *Model
	o       Options
	version uint64

	ports    []port
	portIdx  map[string]int
	bridges  []bridge
	nets     []network
	netIdx   map[string]int
	ends     []endpoint
	endIdx   map[string]int
	endAddr  map[netip.Addr]int
	control  controller
	claims   map[netip.Addr]Attach
	seen     map[netip.Addr]string // names behind derived addresses of the outside
	sleeping map[string]State      // servers that SetServer turned off
}

// controller is where the controller is reached.
type controller struct {
	origin *Origin
	addrs  []netip.Addr
	port   uint16        // of the model's host section; 0: the origin's own
	far    time.Duration // round trip beyond the router
}

// New builds the world of a model that Parse or Default made, or that passed Check. The world
// keeps the model and reads it; neither changes it.
func New(m *Model, o Options) *World {
	if o.Draw == nil {
		o.Draw = hashDraw
	}
	if o.Outside == nil {
		o.Outside = func(string) *Origin { return nil }
	}
	w := &World{
		m: m, o: o,
		portIdx: map[string]int{}, netIdx: map[string]int{}, endIdx: map[string]int{},
		endAddr: map[netip.Addr]int{}, claims: map[netip.Addr]Attach{},
		seen: map[netip.Addr]string{}, sleeping: map[string]State{},
	}
	w.placeController()
	w.placePorts()
	w.placeEndpoints()
	w.placeNetworks()
	return w
}

// Model is what the world was built from.
func (w *World) Model() *Model { return w.m }

// ControllerAddrs are the addresses of the controller, IPv4 first.
func (w *World) ControllerAddrs() []netip.Addr { return slices.Clone(w.control.addrs) }

// ControllerPort is the port of the controller: that of the model's host section, else the
// first one of Options.Controller that speaks TLS, else 443.
func (w *World) ControllerPort() uint16 {
	if w.control.port != 0 {
		return w.control.port
	}
	for _, p := range w.control.origin.Ports {
		if p.TLS {
			return p.Number
		}
	}
	return 443
}

func (w *World) placeController() {
	c := &w.control
	c.origin = w.o.Controller
	if c.origin == nil {
		c.origin = &Origin{Label: ControllerLabel, Ports: []ListenPort{{Number: 0}}}
	}
	c.far = w.far(ControllerLabel)
	if h := w.m.Host; h != nil {
		c.port = h.ControllerPort
		for _, a := range h.IPs {
			if a.IsGlobalUnicast() && w.hostHas(a.Is6()) {
				c.addrs = append(c.addrs, a)
			}
		}
	}
	if len(c.addrs) == 0 {
		c.addrs = slices.Clone(c.origin.Addrs)
	}
	if len(c.addrs) == 0 {
		c.addrs = []netip.Addr{netip.AddrFrom4([4]byte{203, 0, 113, 10}),
			netip.MustParseAddr("2001:db8:ada::10")}
	}
	c.addrs = slices.DeleteFunc(c.addrs, func(a netip.Addr) bool { return !w.hostHas(a.Is6()) })
	slices.SortStableFunc(c.addrs, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
}

// hostHas tells whether the host, and so all of the outside, has an IP version. A model
// without host addresses leaves it open: both.
func (w *World) hostHas(six bool) bool {
	if w.m.Host == nil || len(w.m.Host.IPs) == 0 && w.m.Host.NetworkType == "" {
		return true
	}
	switch w.m.Host.NetworkType {
	case "dual-stack":
		return true
	case "ipv6-only":
		return six
	}
	return !six
}

// listens is Origin.listens of the controller, with the model's port.
func (c *controller) listens(port uint16) (open, tls bool) {
	if c.port != 0 && port == c.port {
		return c.origin.Serve != nil, len(c.origin.Chain) > 0
	}
	return c.origin.listens(port)
}

// hashDraw is the chance of a world that was given none.
func hashDraw(key string, n uint64) uint64 {
	h := fnv.New64a()
	h.Write([]byte(key))
	x := h.Sum64() ^ n*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// canonical is a DNS name as tables have it.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
