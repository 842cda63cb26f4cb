package bridge

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// onOff is whether the kernel does something, as far as known.
type onOff uint8

const (
	unknown onOff = iota
	idle
	counting
)

// logSettings are what the kernel counts and how long it remembers connections, in seconds: without
// and with a flow log. With one it remembers each for a while after it has rested, so that no
// collection misses it.
var logSettings = []struct {
	name           string
	usual, logging int
}{
	{"acct", 0, 1}, {"timestamp", 0, 1},
	{"generic_timeout", 600, 600 + linger}, {"icmp_timeout", 30, 30 + linger},
	{"icmpv6_timeout", 30, 30 + linger}, {"udp_timeout", 30, 30 + linger},
	{"udp_timeout_stream", 120, 180 + linger}, {"tcp_timeout_syn_sent", 120, 120 + linger},
	{"tcp_timeout_syn_recv", 60, 60 + linger}, {"tcp_timeout_established", 432000, 3600 + linger},
	{"tcp_timeout_fin_wait", 120, 120 + linger}, {"tcp_timeout_close_wait", 60, 60 + linger},
	{"tcp_timeout_last_ack", 30, 30 + linger}, {"tcp_timeout_time_wait", 120, 120 + linger},
	{"tcp_timeout_close", 10, 30 + linger}, {"tcp_timeout_max_retrans", 300, 300 + linger},
	{"tcp_timeout_unacknowledged", 300, 300 + linger},
}

// linger is how long the kernel remembers a connection that has rested, in seconds: longer than
// from one collection to the next.
const linger = 150

// settleLog has the kernel count connections if an interface has a flow log, and stop it if none
// has any more.
func (m *machine) settleLog() error {
	want := idle
	for _, name := range m.items("vif") {
		if m.spec("vif/" + name).Vif.FlowLog {
			want = counting
		}
	}
	if m.logging == want || m.logging == unknown && want == idle {
		return nil
	}
	for _, s := range logSettings {
		value := s.usual
		if want == counting {
			value = s.logging
		}
		err := m.k.Sysctl("netfilter/nf_conntrack_"+s.name, strconv.Itoa(value))
		if err != nil {
			return err
		}
	}
	if want == counting { // what bridges forward is counted, too, where the kernel can
		for _, name := range []string{"iptables", "ip6tables"} {
			if err := m.k.Sysctl("bridge/bridge-nf-call-"+name, "1"); err != nil {
				return err
			}
		}
	}
	m.logging = want
	return nil
}

// logAs readies the flow log for another spec of an interface: without one, what was recorded is
// forgotten; with other rules, those that admitted a flow are found before they go.
func (m *machine) logAs(vif string, s, was *device.VifSpec) error {
	if err := m.settleLog(); err != nil {
		return err
	}
	if !s.FlowLog {
		m.log.Forget(vif)
		return nil
	}
	if was == nil || !was.FlowLog || slices.Equal(s.Rules, was.Rules) {
		return nil
	}
	now := m.specs["vif/"+vif]
	m.specs["vif/"+vif] = device.Spec{Vif: was}
	defer func() { m.specs["vif/"+vif] = now }()
	return m.gather("", nil)
}

// flows collects the flow log.
func (m *machine) flows(ctx context.Context, q *device.FlowsReq) (res device.FlowsRes,
	f *agent.Fault,
) {
	f = m.Ask(ctx, func() error {
		if m.logging == counting {
			if err := m.gather("", nil); err != nil {
				return err
			}
		}
		had := m.log.Len()
		res = m.log.Collect(q.After)
		if had > 0 && m.log.Len() == 0 {
			m.Watch.Ring() // so that it is shown
		}
		return nil
	})
	return res, f
}

// lastFlows records all that is known of an interface whose item goes, and has the kernel stop to
// count if it was the last one with a flow log.
func (m *machine) lastFlows(vif string, v *device.VifSpec) error {
	if v.FlowLog && m.logging == counting {
		if err := m.gather(vif, v); err != nil {
			return err
		}
	}
	return m.settleLog()
}

// gather makes records of what has rested and what was dropped; of last, an interface that goes, of
// all that is known.
func (m *machine) gather(last string, v *device.VifSpec) error {
	w, err := m.watched(last, v)
	if err != nil {
		return err
	}
	f, err := m.k.fence()
	if err != nil {
		return err
	}
	defer f.close()
	w.resolved = f.resolutions()
	if err := m.gatherLost(f, w); err != nil {
		return err
	}
	if err := m.gatherConnections(w); err != nil {
		return err
	}
	for _, bridge := range slices.Sorted(maps.Keys(m.services)) {
		for _, a := range m.services[bridge].asked.take(time.Now()) {
			if vif := w.at[a.from]; vif != "" && w.vifs[vif].Bridge == bridge {
				m.log.Lookup(device.Lookup{Endpoint: w.endpoint(vif), Name: a.name, Addrs: a.addrs,
					At: a.at})
			}
		}
	}
	return nil
}

// watched are the interfaces with a flow log at one moment.
type watched struct {
	vifs map[string]*device.VifSpec
	at   map[netip.Addr]string // interfaces by the addresses of their guests
	own  map[netip.Addr]bool   // addresses of the device
	// gateways are those of bridges, by VIF; invalid in a switch network instance.
	gateways map[string]netip.Addr
	last     string // an interface that goes
	resolved func(host string, a netip.Addr) bool
}

func (m *machine) watched(last string, v *device.VifSpec) (*watched, error) {
	w := &watched{vifs: map[string]*device.VifSpec{}, at: map[netip.Addr]string{},
		own: map[netip.Addr]bool{}, gateways: map[string]netip.Addr{}, last: last}
	for _, name := range m.items("vif") {
		if s := m.spec("vif/" + name).Vif; s.FlowLog {
			w.vifs[name] = s
		}
	}
	if v != nil {
		w.vifs[last] = v
	}
	names := slices.Sorted(maps.Keys(w.vifs))
	for _, name := range names {
		w.gateways[name] = m.gateway(w.vifs[name].Bridge)
		if ip := w.vifs[name].IP; ip.IsValid() && w.at[ip] == "" {
			w.at[ip] = name
		}
	}
	for _, name := range names { // what somebody takes does not count before what is given
		for text := range m.learned[name] {
			if ip := netip.MustParseAddr(text); w.at[ip] == "" {
				w.at[ip] = name
			}
		}
	}
	list, err := m.k.AddrList(nil, 0)
	if err != nil {
		return nil, fmt.Errorf("list the addresses of the device: %w", err)
	}
	for i := range list {
		w.own[netkernel.Addr(list[i].IP)] = true
	}
	return w, nil
}

func (w *watched) endpoint(vif string) device.Endpoint {
	v := w.vifs[vif]
	return device.Endpoint{Vif: vif, App: v.AppID, Adapter: v.Adapter, Network: v.Network}
}

// decide says what becomes of the packets of a flow.
func (w *watched) decide(f *device.Flow) device.Verdict {
	return device.Decide(w.vifs[f.Vif].Rules, w.gateways[f.Vif], device.Packet{Out: !f.Inbound,
		Proto: f.Protocol, Remote: f.Remote, RPort: f.RemotePort, LPort: f.LocalPort}, w.resolved)
}

// gatherLost records what was dropped.
func (m *machine) gatherLost(f *fence, w *watched) error {
	now := time.Now()
	for _, vif := range slices.Sorted(maps.Keys(w.vifs)) {
		if m.lost["vif/"+vif] {
			continue
		}
		list, err := f.lost(vif)
		if err != nil {
			return err
		}
		for _, x := range list {
			if device.ToMany(x.dst) {
				continue
			}
			r := device.Flow{Endpoint: w.endpoint(vif), Inbound: !x.out, Protocol: x.proto,
				Dropped: true, Began: x.began, Ended: now, Local: x.src, Remote: x.dst,
				LocalPort: x.sport, RemotePort: x.dport, TxBytes: x.bytes, TxPkts: x.packets}
			if !x.out {
				r.Local, r.Remote, r.LocalPort, r.RemotePort = x.dst, x.src, x.dport, x.sport
				r.TxBytes, r.TxPkts, r.RxBytes, r.RxPkts = 0, 0, x.bytes, x.packets
			}
			r.RuleID = w.decide(&r).RuleID
			m.log.Flow(r)
		}
	}
	return nil
}
