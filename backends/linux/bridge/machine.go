package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evetwin/evetwin/backends/flowlog"
	"github.com/evetwin/evetwin/backends/linux/bootnote"
	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netpart"
	"github.com/evetwin/evetwin/backends/metadata"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// machine is the network of applications of a namespace as this part keeps it, for one boot.
type machine struct {
	netpart.Machine
	o    Options
	k    kernel
	note bootnote.Note
	// show takes what was seen, in order; it must not block.
	show func(*picture)

	specs map[string]device.Spec
	// shown are the items of the last picture; lost those of them that somebody took away since,
	// until they are set again.
	shown, lost map[string]bool
	// attached has the index of the link that was attached for a VIF.
	attached map[string]int
	services map[string]*service // by bridge
	learned  map[string]map[string]time.Time
	trees    map[string]bool   // bridges that run the spanning tree protocol
	inet     map[string]int    // rules of the translation, by chain
	sizes    map[string][2]int // rules of the chains from and to VIFs, as far as known
	indices  map[string]int    // of links, by name
	next     time.Time         // when an address of a guest ends next
	ports    string            // addresses of ports that the translation was made for
	members  string            // interfaces that it was made for; empty: not known
	passed   map[string]device.Counter
	last     map[string]device.Counter
	wake     *time.Timer // for what is known of a guest until then, or retry

	// ask has the metadata service answer; nil: nobody does.
	ask       func(context.Context, metadata.Request) (metadata.Answer, bool)
	windows   map[string]*window // of the metadata service, by bridge
	retry     time.Time          // when to open a window that could not be opened
	unwelcome string             // what was told of those

	log      *flowlog.Queue
	logging  onOff           // what the kernel was told to count, as far as known
	recorded map[track]count // of connections, what was recorded of them
}

// open opens the network of a namespace.
func open(o Options, show func(*picture)) (*machine, error) {
	if o.State == "" {
		return nil, errors.New("start the part bridge: no folder for its state")
	}
	note, err := bootnote.Open(o.State, stateFile, 0o755, o.after)
	if err != nil {
		return nil, fmt.Errorf("start the part bridge: %w", err)
	}
	k, err := netkernel.Open(o.Space, o.after)
	if err != nil {
		return nil, err
	}
	m := &machine{o: o, k: kernel{k}, note: note, show: show,
		specs: map[string]device.Spec{}, shown: map[string]bool{}, lost: map[string]bool{},
		attached: map[string]int{}, services: map[string]*service{},
		learned: map[string]map[string]time.Time{}, passed: map[string]device.Counter{},
		last: map[string]device.Counter{}, trees: map[string]bool{}, sizes: map[string][2]int{},
		windows: map[string]*window{}, recorded: map[track]count{},
		log: flowlog.New(uint64(time.Now().UnixNano()))}
	m.Look, m.OnError, m.Fault = m.look, o.OnError, netpart.Fault
	if m.Watch, err = watch(o.Space, m.learn); err != nil {
		k.Close()
		return nil, fmt.Errorf("start the part bridge: %w", err)
	}
	return m, nil
}

// Close ends each dnsmasq and the metadata service. All that is configured in the kernel stays.
func (m *machine) Close() {
	m.End(func() {
		if m.wake != nil {
			m.wake.Stop()
		}
		m.farewell()
		for _, s := range m.services {
			if err := s.stop(); err != nil {
				m.Report(err)
			}
		}
	})
	m.k.Close()
}

// spec is an item's spec; nil without it.
func (m *machine) spec(item string) *device.Spec {
	if s, ok := m.specs[item]; ok {
		return &s
	}
	return nil
}
