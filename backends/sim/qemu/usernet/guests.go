package usernet

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Guest is who gets an address on a network.
type Guest struct {
	// MAC is its interface's address.
	MAC net.HardwareAddr
	// IP is the address it is given.
	IP netip.Addr
	// Names are what others on the network find it by.
	Names []string
}

// guest is a Guest and what became of it.
type guest struct {
	Guest
	leased chan struct{}
	has    bool
}

// AddGuest makes the network give a guest its address. A guest that is known already is replaced;
// as long as its address stays, what it has taken stays.
func (n *Network) AddGuest(g Guest) error {
	if len(g.MAC) != 6 || !n.opts.Subnet.Contains(g.IP) || g.IP == n.opts.Gateway {
		return fmt.Errorf("network %s: no guest %v at %v", n.opts.Name, g.MAC, g.IP)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for mac, other := range n.guests {
		if other.IP == g.IP && mac != g.MAC.String() {
			return fmt.Errorf("network %s: %v belongs to guest %s", n.opts.Name, g.IP, mac)
		}
	}
	if known := n.guests[g.MAC.String()]; known != nil && known.IP == g.IP {
		known.Guest = g
		return nil
	}
	n.guests[g.MAC.String()] = &guest{Guest: g, leased: make(chan struct{})}
	return nil
}

// RemoveGuest makes the network forget a guest: it gets no address any more.
func (n *Network) RemoveGuest(mac net.HardwareAddr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.guests, mac.String())
}

// Release notes that a guest has no address any more: it was turned off, and will ask anew.
func (n *Network) Release(mac net.HardwareAddr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if found := n.guests[mac.String()]; found != nil && found.has {
		n.guests[mac.String()] = &guest{Guest: found.Guest, leased: make(chan struct{})}
	}
}

// SetTerms changes what guests are told beside their address from now on: the search domain, empty
// for none, and the MTU, 0 for the network's own.
func (n *Network) SetTerms(domain string, mtu int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opts.Domain, n.mtu = domain, mtu
}

// Leased returns a channel that is closed when the guest has taken its address for the first
// time since it was added or released; nil for an unknown guest.
func (n *Network) Leased(mac net.HardwareAddr) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if found := n.guests[mac.String()]; found != nil {
		return found.leased
	}
	return nil
}

// SetName makes the name server answer with addresses for a name; without addresses it forgets
// the name.
func (n *Network) SetName(name string, addresses ...netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name = plainName(name)
	if len(addresses) == 0 {
		delete(n.names, name)
		return
	}
	n.names[name] = slices.Clone(addresses)
}

// lookup returns the guest with a MAC address.
func (n *Network) lookup(mac net.HardwareAddr) (Guest, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := n.guests[mac.String()]
	if found == nil {
		return Guest{}, false
	}
	return found.Guest, true
}

// taken notes that a guest has its address.
func (n *Network) taken(mac net.HardwareAddr) {
	n.mu.Lock()
	found := n.guests[mac.String()]
	if found != nil && !found.has {
		found.has = true
		close(found.leased)
	}
	n.mu.Unlock()
	if found != nil && n.opts.OnLease != nil {
		n.opts.OnLease(mac.String(), found.IP)
	}
}

// has reports whether a guest has taken an address.
func (n *Network) has(ip netip.Addr) bool {
	leased := n.leasedAt(ip)
	if leased == nil {
		return false
	}
	select {
	case <-leased:
		return true
	default:
		return false
	}
}

// leasedAt returns the channel of the guest with an address; nil if nobody has it.
func (n *Network) leasedAt(ip netip.Addr) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, found := range n.guests {
		if found.IP == ip {
			return found.leased
		}
	}
	return nil
}

// resolve answers a name: names that were set, then guests', then the owner's resolver.
func (n *Network) resolve(name string) []netip.Addr {
	name = plainName(name)
	n.mu.Lock()
	found := slices.Clone(n.names[name])
	short := name
	if n.opts.Domain != "" {
		short = strings.TrimSuffix(name, "."+plainName(n.opts.Domain))
	}
	for _, g := range n.guests {
		if slices.ContainsFunc(g.Names, func(s string) bool { return plainName(s) == short }) {
			found = append(found, g.IP)
		}
	}
	n.mu.Unlock()
	slices.SortFunc(found, netip.Addr.Compare)
	if len(found) == 0 && n.opts.Resolve != nil {
		return n.opts.Resolve(name)
	}
	return slices.Compact(found)
}

func plainName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
