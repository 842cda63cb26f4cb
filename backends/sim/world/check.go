package world

import (
	"net/netip"
	"slices"
)

// checker looks for mistakes that concern more than one value of a model.
type checker struct {
	findings
	m         *Model
	ports     map[string]int
	bonds     map[string]int
	bridges   map[string]int
	networks  map[string]int
	endpoints map[string]placed
	masters   map[string]string // port or bond -> path of the list that has it
}

// Check tells what is wrong with a model that was made or changed in Go; Parse does it anyway.
// The error is like that of Parse.
func (m *Model) Check() error {
	c := &checker{findings: findings{file: m.File}, m: m}
	c.run()
	return c.err()
}

func (c *checker) run() {
	m := c.m
	c.masters = map[string]string{}
	c.labels()
	c.cables()
	c.switches()
	for i := range m.Networks {
		c.network(index("networks", i), &m.Networks[i])
	}
	c.vlans()
	for _, e := range m.Endpoints.all() {
		c.endpoint(e)
	}
	c.endpointAddrs()
	c.servers()
	c.proxies()
	c.netboot()
	c.dnsCycles()
	c.firewall()
	c.host()
}

// labels indexes the items of each type by label.
func (c *checker) labels() {
	m := c.m
	c.ports = c.unique("ports", len(m.Ports), func(i int) string { return m.Ports[i].Label })
	c.bonds = c.unique("bonds", len(m.Bonds), func(i int) string { return m.Bonds[i].Label })
	c.bridges = c.unique("bridges", len(m.Bridges),
		func(i int) string { return m.Bridges[i].Label })
	c.networks = c.unique("networks", len(m.Networks),
		func(i int) string { return m.Networks[i].Label })
	c.endpoints = map[string]placed{}
	for _, e := range m.Endpoints.all() {
		switch old, twice := c.endpoints[e.Label]; {
		case e.Label == "":
			c.add(e.path+".logicalLabel", "", "is missing")
		case twice:
			c.add(e.path+".logicalLabel", e.Label, "already the label of %s", old.path)
		default:
			c.endpoints[e.Label] = e
		}
	}
}

func (c *checker) unique(list string, n int, label func(int) string) map[string]int {
	m := make(map[string]int, n)
	for i := range n {
		l, at := label(i), index(list, i)+".logicalLabel"
		if l == "" {
			c.add(at, "", "is missing")
		} else if old, twice := m[l]; twice {
			c.add(at, l, "already the label of %s", index(list, old))
		} else {
			m[l] = i
		}
	}
	return m
}

// refs checks a list of labels of endpoints of one kind (empty: any kind).
func (c *checker) refs(at, label, kind string, refs []string) {
	for i, r := range refs {
		if slices.Contains(refs[:i], r) {
			c.add(index(at, i), label, "%s is there twice", quoted(r))
		}
		c.ref(index(at, i), label, kind, r)
	}
}

// ref checks the label of an endpoint.
func (c *checker) ref(at, label, kind, ref string) {
	e, ok := c.endpoints[ref]
	if !ok {
		c.add(at, label, "there is no endpoint %s", quoted(ref))
	} else if kind != "" && e.kind != kind {
		c.add(at, label, "%s is one of %s, not of %s", quoted(ref), e.kind, kind)
	}
}

// inside checks that an address is given and lies in the subnet.
func (c *checker) inside(at, label string, a netip.Addr, subnet netip.Prefix) {
	if !a.IsValid() {
		c.add(at, label, "is missing")
	} else if subnet.IsValid() && !subnet.Contains(a) {
		c.add(at, label, "%s is outside the subnet %s", a, subnet)
	}
}

// given checks that a list of addresses has no empty one.
func (c *checker) given(at, label string, as []netip.Addr) {
	for i, a := range as {
		if !a.IsValid() {
			c.add(index(at, i), label, "is empty")
		}
	}
}

// maxMTU is what the switches carry.
const maxMTU = 9000

// mtu checks a maximum transmission unit; 0 means 1500.
func (c *checker) mtu(at, label string, mtu uint16, six bool) {
	least := uint16(576)
	if six {
		least = 1280
	}
	if mtu != 0 && (mtu < least || mtu > maxMTU) {
		c.add(at, label, "%d is not between %d and %d", mtu, least, maxMTU)
	}
}
