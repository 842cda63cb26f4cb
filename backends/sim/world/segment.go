package world

// BondPeer is what a device's bond sees of the bond at the other end of its ports.
type BondPeer struct {
	Label    string
	Mode     string // Linux name; balance-rr if the model names none
	LACP     bool   // speaks LACP (802.3ad)
	FastLACP bool   // asks for a LACP packet each second instead of each 30
	Partner  MAC    // system MAC of LACP
	Active   string // label of the port that carries traffic in active-backup; empty: all
	MII      MIIMonitor
	ARP      ARPMonitor
}

// Peer shows the network's bond behind a port; false if there is none.
func (w *World) Peer(label string) (BondPeer, bool) {
	p := w.port(label)
	if p == nil || p.bond < 0 {
		return BondPeer{}, false
	}
	b := &w.m.Bonds[p.bond]
	peer := BondPeer{
		Label: b.Label, Mode: b.Mode, LACP: b.Mode == "802.3ad", FastLACP: b.LACPRate == "fast",
		Partner: derivedMAC("bond", b.Label), Active: w.activePort(p.bond), MII: b.MII, ARP: b.ARP,
	}
	if peer.Mode == "" {
		peer.Mode = "balance-rr"
	}
	return peer, true
}

// activePort is the first port with carrier of an active-backup bond; empty for other modes.
func (w *World) activePort(bond int) string {
	b := &w.m.Bonds[bond]
	if b.Mode != "active-backup" {
		return ""
	}
	for _, l := range b.Ports {
		if w.ports[w.portIdx[l]].up {
			return l
		}
	}
	return ""
}

// Segment is the network that a frame with this VLAN (0: untagged) reaches from a port; false
// if the switch has none for it. It does not ask whether the cable is in.
func (w *World) Segment(label string, vlan uint16) (*Network, bool) {
	p := w.port(label)
	if p == nil {
		return nil, false
	}
	if i := w.segment(p, vlan); i >= 0 {
		return w.nets[i].Network, true
	}
	return nil, false
}

// segment is the index of the network; -1 for none.
func (w *World) segment(p *port, vlan uint16) int {
	if p.bridge < 0 {
		return -1
	}
	if i, ok := w.bridges[p.bridge].vlans[vlan]; ok {
		return i
	}
	return -1
}

// attached checks that frames of a client get onto the switch. An idle port of an
// active-backup bond has carrier, but nothing comes through.
func (w *World) attached(a Attach) (p *port, err *Error) {
	p = w.port(a.Port)
	switch {
	case p == nil:
		return nil, &Error{NoCarrier, "carrier", a.Port, "no such port"}
	case !p.up:
		return nil, &Error{NoCarrier, "carrier", a.Port, "the cable is out"}
	case p.bridge < 0:
		return nil, &Error{Timeout, "carrier", a.Port, "the cable ends in no switch"}
	case p.bond >= 0:
		if act := w.activePort(p.bond); act != "" && act != a.Port {
			return nil, &Error{Timeout, "carrier", a.Port, "port " + act + " of the bond is active"}
		}
	}
	return p, nil
}
