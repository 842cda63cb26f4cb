package nic

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/evetwin/evetwin/backends/linux/bootnote"
	"github.com/evetwin/evetwin/backends/linux/netpart"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// machine is the network of a namespace as this part keeps it, for one boot.
type machine struct {
	netpart.Machine
	o    Options
	k    kernel
	note bootnote.Note
	// since is a moment as time since boot.
	since func(time.Time) time.Duration
	// show takes what was seen, in order; it must not block.
	show func(*picture)

	// guard configures WireGuard; nil until somebody wants to.
	guard *wgctrl.Client
	specs map[string]device.Spec
	// public are the public keys of interfaces of WireGuard, by name.
	public map[string]wgtypes.Key
	ports  map[string]*port
	passed map[string]device.Counter // what counters of links that are gone had reached
	last   map[string]device.Counter
}

// open opens the network of a namespace.
func open(o Options, since func(time.Time) time.Duration, show func(*picture)) (*machine, error) {
	note, err := bootnote.Open(o.State, stateFile, 0o700, o.after)
	if err != nil {
		return nil, fmt.Errorf("start the part nic: %w", err)
	}
	k, err := openKernel(o)
	if err != nil {
		return nil, err
	}
	w, err := watch(o.Space, o.ResolvConf)
	if err != nil {
		k.Close()
		return nil, fmt.Errorf("start the part nic: %w", err)
	}
	m := &machine{o: o, k: k, note: note, since: since, show: show,
		specs: map[string]device.Spec{}, public: map[string]wgtypes.Key{}, ports: map[string]*port{},
		passed: map[string]device.Counter{}, last: map[string]device.Counter{}}
	m.Look, m.OnError, m.Fault, m.Watch = m.look, o.OnError, fault, w
	return m, nil
}

// Close ends the clients. All that is configured stays.
func (m *machine) Close() {
	m.End(func() {
		for _, p := range m.ports {
			p.halt()
		}
	})
	m.closeGuard()
	m.k.Close()
}

// port is an interface's entry.
func (m *machine) port(name string) *port {
	p := m.ports[name]
	if p == nil {
		p = &port{name: name}
		m.ports[name] = p
	}
	return p
}

// spec is an item's spec; nil without it.
func (m *machine) spec(what, name string) *device.Spec {
	if s, ok := m.specs[what+"/"+name]; ok {
		return &s
	}
	return nil
}

// fault is the outcome that stands for an error.
func fault(err error) *agent.Fault {
	f := netpart.Fault(err)
	if f.Code == device.FaultFailed && nonsense(err) {
		f.Code, f.Retry = device.FaultRefused, false
	}
	return f
}

// nonsense reports whether the kernel says that a spec makes no sense.
func nonsense(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ERANGE)
}
