package world

import "time"

// Attach is where a client hangs on the network: a port of the device, and the VLAN of the
// frames it sends there (0: untagged), and its MAC.
type Attach struct {
	Port string
	VLAN uint16
	MAC  MAC
}

// PortView is what can be seen of a port.
type PortView struct {
	Label   string
	MAC     MAC // of the device's NIC
	Peer    MAC // of the network's side
	Up      bool
	Traffic Traffic
	Bond    string // label of the network's bond that has the port; may be empty
	Bridge  string // label of the switch behind it; may be empty
}

// port is a cable.
type port struct {
	Port
	mine   bool // belongs to the device of this world
	up     bool
	bond   int // index; -1: none
	bridge int // index of the switch, directly or by the bond; -1: none
	key    string
}

// bridge is a switch.
type bridge struct {
	ports []int // in the order of the model; those of bonds included
	vlans map[uint16]int
}

func (w *World) placePorts() {
	for i, p := range w.m.Ports {
		mine := w.o.Instance == "" || p.Connect.Instance == "" ||
			p.Connect.Instance == w.o.Instance
		if p.Connect.MAC == (MAC{}) {
			p.Connect.MAC = derivedMAC("nic "+w.o.Instance, p.Label)
		}
		if p.MAC == (MAC{}) {
			p.MAC = derivedMAC("port "+w.o.Instance, p.Label)
		}
		w.ports = append(w.ports, port{
			Port: p, mine: mine, up: p.AdminUP, bond: -1, bridge: -1, key: "port/" + p.Label + "/",
		})
		w.portIdx[p.Label] = i
	}
	bonds := map[string]int{}
	for i, b := range w.m.Bonds {
		bonds[b.Label] = i
		for _, l := range b.Ports {
			w.ports[w.portIdx[l]].bond = i
		}
	}
	for i, b := range w.m.Bridges {
		br := bridge{vlans: map[uint16]int{}}
		for _, l := range b.Ports {
			br.ports = append(br.ports, w.portIdx[l])
		}
		for _, l := range b.Bonds {
			for _, p := range w.m.Bonds[bonds[l]].Ports {
				br.ports = append(br.ports, w.portIdx[p])
			}
		}
		for _, p := range br.ports {
			w.ports[p].bridge = i
		}
		w.bridges = append(w.bridges, br)
	}
}

// Ports lists the ports of the device in the order of its NICs.
func (w *World) Ports() []PortView {
	var l []PortView
	for i := range w.ports {
		if w.ports[i].mine {
			l = append(l, w.view(&w.ports[i]))
		}
	}
	return l
}

// Port shows one port of the device.
func (w *World) Port(label string) (PortView, bool) {
	p := w.port(label)
	if p == nil {
		return PortView{}, false
	}
	return w.view(p), true
}

func (w *World) view(p *port) PortView {
	v := PortView{Label: p.Label, MAC: p.Connect.MAC, Peer: p.MAC, Up: p.up, Traffic: p.Traffic}
	if p.bond >= 0 {
		v.Bond = w.m.Bonds[p.bond].Label
	}
	if p.bridge >= 0 {
		v.Bridge = w.m.Bridges[p.bridge].Label
	}
	return v
}

// port finds a port of the device; nil if it has none of that label.
func (w *World) port(label string) *port {
	i, ok := w.portIdx[label]
	if !ok || !w.ports[i].mine {
		return nil
	}
	return &w.ports[i]
}

// Carrier tells whether the port's cable is in; false for a port that is not there.
func (w *World) Carrier(label string) bool {
	p := w.port(label)
	return p != nil && p.up
}

// Version grows with each change of a carrier.
func (w *World) Version() uint64 { return w.version }

// Cut pulls the cable of a port. Exchanges under way are the caller's to end. It returns
// false, as Plug does, if the port is not there.
func (w *World) Cut(label string) bool { return w.setCarrier(label, false) }

// Plug puts the cable of a port in, also of one that the model leaves out.
func (w *World) Plug(label string) bool { return w.setCarrier(label, true) }

func (w *World) setCarrier(label string, up bool) bool {
	p := w.port(label)
	if p == nil {
		return false
	}
	if p.up != up {
		p.up = up
		w.version++
		if w.o.OnCarrier != nil {
			w.o.OnCarrier(label, up)
		}
	}
	return true
}

// SetTraffic changes how a cable treats packets from now on; the port's Model.Traffic heals it.
func (w *World) SetTraffic(label string, t Traffic) bool {
	p := w.port(label)
	if p != nil {
		p.Traffic = t
	}
	return p != nil
}

// SetLoss sets the share of packets that a cable loses, in percent; 0 heals it.
func (w *World) SetLoss(label string, percent uint8) bool {
	p := w.port(label)
	if p != nil {
		p.Traffic.Loss = min(percent, 100)
	}
	return p != nil
}

// SetDelay sets what a cable adds to each packet's way, give or take jitter; whole ms.
func (w *World) SetDelay(label string, delay, jitter time.Duration) bool {
	p := w.port(label)
	if p != nil {
		p.Traffic.Delay = uint32(delay / time.Millisecond)
		p.Traffic.Jitter = uint32(jitter / time.Millisecond)
	}
	return p != nil
}

// SetRate sets the speed of a cable in kB/s; 0: as fast as it goes.
func (w *World) SetRate(label string, rate uint32) bool {
	p := w.port(label)
	if p != nil {
		p.Traffic.Rate = rate
	}
	return p != nil
}
