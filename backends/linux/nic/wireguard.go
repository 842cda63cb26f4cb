package nic

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/evetwin/evetwin/backends/linux/netcaps"
	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netpart"
	"github.com/evetwin/evetwin/backends/linux/netspace"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// wireGuard is the kind of its interfaces and items.
const wireGuard = "wireguard"

// privateKey is what the keeper of secrets says of a reference.
type privateKey struct {
	text  string
	known bool
}

// privateKeys looks up the keys of requests, on the device's loop.
func (n *Nic) privateKeys() func(*device.SetReq) *privateKey {
	if n.o.Keeper == nil {
		return func(*device.SetReq) *privateKey { return &privateKey{} }
	}
	keeper := n.o.Keeper()
	return func(q *device.SetReq) *privateKey {
		if q.Spec.WireGuard == nil {
			return &privateKey{}
		}
		text, known := keeper.Reveal(q.Spec.WireGuard.PrivateKey)
		return &privateKey{text, known}
	}
}

// setWireGuard makes an interface of WireGuard. One that is as it should be is not touched, nor are
// peers of which nothing changes: what goes through them goes on.
func (m *machine) setWireGuard(item, name string, s device.Spec, private *privateKey) error {
	if !private.known {
		return netpart.Missing("nobody knows the private key")
	}
	bytes, ok := device.WireGuardKey(private.text)
	if !ok {
		return netpart.Refuse("the private key is none")
	}
	key := wgtypes.Key(bytes)
	return m.keep(item, s, func() error {
		l, err := m.makeTunnel(name)
		if err != nil {
			return err
		}
		if m.public[name] != key.PublicKey() {
			m.public[name] = key.PublicKey()
			if err := m.save(); err != nil {
				return err
			}
		}
		if err := m.configure(name, s.WireGuard, key); err != nil {
			return err
		}
		if err := m.k.MTU(l, s.WireGuard.MTU); err != nil {
			return err
		}
		return m.k.Up(l)
	})
}

// makeTunnel makes the interface, unless it is there.
func (m *machine) makeTunnel(name string) (netlink.Link, error) {
	l, err := m.k.Find(name)
	switch {
	case err != nil:
		return nil, err
	case l != nil && l.Type() != wireGuard:
		return nil, netpart.Refuse(name + " is an interface of another kind")
	case l != nil:
		return l, nil
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	err = m.k.Did(m.k.LinkAdd(&netlink.Wireguard{LinkAttrs: attrs}), "add WireGuard %s", name)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil, netpart.Lacks(netcaps.WireGuard)
	}
	if err != nil {
		return nil, err
	}
	if l, err = m.k.Find(name); err != nil || l == nil {
		return nil, errors.Join(err, netpart.Missing("there is no interface "+name))
	}
	return l, nil
}

// configure makes keys and peers be as a spec says.
func (m *machine) configure(name string, s *device.WireGuardSpec, key wgtypes.Key) error {
	is, err := m.guarded(name)
	if err != nil {
		return err
	}
	config := wgtypes.Config{}
	if is.PrivateKey != key {
		config.PrivateKey = &key
	}
	if port := int(s.ListenPort); port != 0 && port != is.ListenPort {
		config.ListenPort = &port
	}
	for _, was := range is.Peers {
		if !slices.ContainsFunc(s.Peers, func(p device.WireGuardPeer) bool {
			return p.PublicKey == was.PublicKey.String()
		}) {
			config.Peers = append(config.Peers, wgtypes.PeerConfig{PublicKey: was.PublicKey, Remove: true})
		}
	}
	for i := range s.Peers {
		p := &s.Peers[i]
		at := slices.IndexFunc(is.Peers, func(o wgtypes.Peer) bool {
			return o.PublicKey.String() == p.PublicKey
		})
		if at < 0 || !same(p, &is.Peers[at]) {
			config.Peers = append(config.Peers, peerConfig(p))
		}
	}
	if config.PrivateKey == nil && config.ListenPort == nil && len(config.Peers) == 0 {
		return nil
	}
	return m.k.Did(m.guard.ConfigureDevice(name, config), "configure WireGuard %s", name)
}

// peerConfig is a peer as the kernel takes it.
func peerConfig(p *device.WireGuardPeer) wgtypes.PeerConfig {
	key, _ := device.WireGuardKey(p.PublicKey)
	c := wgtypes.PeerConfig{PublicKey: key, ReplaceAllowedIPs: true,
		PersistentKeepaliveInterval: &p.Keepalive}
	if p.Endpoint.IsValid() {
		c.Endpoint = net.UDPAddrFromAddrPort(p.Endpoint)
	}
	for _, n := range p.AllowedIPs {
		c.AllowedIPs = append(c.AllowedIPs, *netkernel.IPNet(n))
	}
	return c
}

// same reports whether a peer is as it should be. One with another endpoint has moved, unless it
// has not been heard of: then it is looked for in the wrong place.
func same(p *device.WireGuardPeer, is *wgtypes.Peer) bool {
	found := peerOf(is)
	heard := !is.LastHandshakeTime.IsZero()
	return found.Keepalive == p.Keepalive && slices.Equal(found.AllowedIPs, p.AllowedIPs) &&
		(heard || found.Endpoint == p.Endpoint || !p.Endpoint.IsValid())
}

// peerOf is a peer of the kernel.
func peerOf(is *wgtypes.Peer) device.WireGuardPeer {
	p := device.WireGuardPeer{PublicKey: is.PublicKey.String(),
		Keepalive: is.PersistentKeepaliveInterval}
	if is.Endpoint != nil {
		at := is.Endpoint.AddrPort()
		p.Endpoint = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	for _, n := range is.AllowedIPs {
		p.AllowedIPs = append(p.AllowedIPs, netkernel.Prefix(&n))
	}
	slices.SortFunc(p.AllowedIPs, device.ComparePrefixes)
	return p
}

// tunnel is an interface of WireGuard as it is; false if it is none, or has another key.
func (m *machine) tunnel(name string, s *device.WireGuardSpec) (*device.WireGuardSpec, bool) {
	is, err := m.guarded(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, false
	}
	if err != nil {
		m.Report(err)
		return nil, false
	}
	out := &device.WireGuardSpec{PrivateKey: s.PrivateKey, ListenPort: s.ListenPort}
	if s.ListenPort != 0 {
		out.ListenPort = uint16(is.ListenPort)
	}
	for i := range is.Peers {
		p := peerOf(&is.Peers[i])
		for _, wish := range s.Peers {
			if wish.PublicKey == p.PublicKey {
				p.Endpoint = wish.Endpoint // one that moves is not seen
			}
		}
		out.Peers = append(out.Peers, p)
	}
	slices.SortFunc(out.Peers, func(a, b device.WireGuardPeer) int {
		return strings.Compare(a.PublicKey, b.PublicKey)
	})
	return out, is.PublicKey == m.public[name]
}

// guarded is an interface of WireGuard as the kernel has it; os.ErrNotExist if there is none.
func (m *machine) guarded(name string) (*wgtypes.Device, error) {
	if m.guard == nil {
		err := netspace.Do(m.o.Space, func() (err error) {
			m.guard, err = wgctrl.New()
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("configure WireGuard: %w", err)
		}
	}
	is, err := m.guard.Device(name)
	if err != nil {
		return nil, fmt.Errorf("look at WireGuard %s: %w", name, err)
	}
	return is, nil
}

// closeGuard closes what configures WireGuard.
func (m *machine) closeGuard() {
	if m.guard != nil {
		if err := m.guard.Close(); err != nil {
			m.Report(fmt.Errorf("close WireGuard: %w", err))
		}
	}
}
