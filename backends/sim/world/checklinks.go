package world

import "slices"

// cables checks the ports.
func (c *checker) cables() {
	macs := map[MAC]string{}
	mac := func(at, label string, m MAC) {
		if m == (MAC{}) {
			return
		}
		if m.multicast() {
			c.add(at, label, "%s is a group address", m)
		}
		if old, twice := macs[m]; twice {
			c.add(at, label, "%s is already %s", m, old)
		}
		macs[m] = at
	}
	for i := range c.m.Ports {
		p, at := &c.m.Ports[i], index("ports", i)
		mac(at+".mac", p.Label, p.MAC)
		mac(at+".eveConnect.mac", p.Label, p.Connect.MAC)
		c.traffic(at+".trafficControl", p.Label, p.Traffic)
	}
}

func (c *checker) traffic(at, label string, t Traffic) {
	for _, p := range []struct {
		name    string
		percent uint8
	}{
		{"lossProbability", t.Loss}, {"corruptProbability", t.Corrupt},
		{"duplicateProbability", t.Duplicate}, {"reorderProbability", t.Reorder},
	} {
		if p.percent > 100 {
			c.add(at+"."+p.name, label, "%d percent is more than 100", p.percent)
		}
	}
	if t.Rate > 0 && t.Queue == 0 {
		c.add(at+".queueLimit", label, "is required with rateLimit")
	}
	if t.Rate > 0 && t.Burst == 0 {
		c.add(at+".burstLimit", label, "is required with rateLimit")
	}
}

// switches checks bonds and bridges, and that nothing has two masters.
func (c *checker) switches() {
	for i := range c.m.Bonds {
		b, at := &c.m.Bonds[i], index("bonds", i)
		c.members(at+".ports", b.Label, "port", b.Ports, c.ports)
		if len(b.Ports) == 0 {
			c.add(at+".ports", b.Label, "a bond needs a port")
		}
		c.monitors(at, b)
	}
	for i := range c.m.Bridges {
		b, at := &c.m.Bridges[i], index("bridges", i)
		c.members(at+".ports", b.Label, "port", b.Ports, c.ports)
		c.members(at+".bonds", b.Label, "bond", b.Bonds, c.bonds)
	}
}

func (c *checker) members(at, label, what string, refs []string, known map[string]int) {
	for i, r := range refs {
		at := index(at, i)
		if _, ok := known[r]; !ok {
			c.add(at, label, "there is no %s %s", what, quoted(r))
			continue
		}
		if other, taken := c.masters[what+" "+r]; taken {
			c.add(at, label, "%s %s has a master already: %s", what, quoted(r), other)
			continue
		}
		c.masters[what+" "+r] = at
	}
}

func (c *checker) monitors(at string, b *Bond) {
	if b.MII.Enabled && b.ARP.Enabled {
		c.add(at+".arpMonitor", b.Label, "only one of miiMonitor and arpMonitor may be enabled")
	}
	if !b.ARP.Enabled {
		return
	}
	if slices.Contains([]string{"802.3ad", "balance-tlb", "balance-alb"}, b.Mode) {
		c.add(at+".arpMonitor", b.Label, "mode %s does not allow it", b.Mode)
	}
	if len(b.ARP.IPTargets) == 0 {
		c.add(at+".arpMonitor.ipTargets", b.Label, "is missing")
	}
	c.given(at+".arpMonitor.ipTargets", b.Label, b.ARP.IPTargets)
	for i, a := range b.ARP.IPTargets {
		if a.Is6() {
			c.add(index(at+".arpMonitor.ipTargets", i), b.Label, "%s is not IPv4", a)
		}
	}
}

// vlans checks that the VLANs of a bridge differ.
func (c *checker) vlans() {
	type key struct {
		bridge string
		vlan   uint16
	}
	used := map[key]string{}
	for i := range c.m.Networks {
		n, at := &c.m.Networks[i], index("networks", i)+".vlanID"
		k := key{n.Bridge, n.VLAN}
		if other, twice := used[k]; twice && n.Bridge != "" {
			c.add(at, n.Label, "VLAN %d of bridge %s already belongs to network %s",
				n.VLAN, quoted(n.Bridge), quoted(other))
		}
		used[k] = n.Label
		c.vlan(at, n.Label, n.VLAN)
	}
}

func (c *checker) vlan(at, label string, id uint16) {
	if id > 4094 {
		c.add(at, label, "%d is no VLAN ID, the highest is 4094", id)
	}
}
