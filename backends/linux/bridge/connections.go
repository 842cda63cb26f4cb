package bridge

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netspace"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// track is a connection as one of its ends sees it.
type track struct {
	vif           string
	inbound       bool
	proto         uint8
	local, remote netip.AddrPort
	start         uint64
}

// count is packets of a connection, and the verdict on it when it was seen first: other rules do
// not change it, for what they drop is noted where they do.
type count struct {
	txBytes, txPkts, rxBytes, rxPkts uint64
	until                            time.Time
	verdict                          device.Verdict
}

// connections is the kernel's table.
func (k *kernel) connections() (out []*netlink.ConntrackFlow, err error) {
	err = netspace.Do(k.Space, func() error {
		for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
			list, err := netlink.ConntrackTableList(netlink.ConntrackTable, family)
			if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
				return err // one that was interrupted may lack some, which come with the next
			}
			out = append(out, list...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	return out, nil
}

// gatherConnections records the connections that have rested since they were recorded last.
func (m *machine) gatherConnections(w *watched) error {
	list, err := m.k.connections()
	if err != nil {
		return err
	}
	now := time.Now()
	kept := map[track]count{}
	for _, c := range list {
		for _, t := range w.tracks(c) {
			had, seen := m.recorded[t]
			is := t.count(c)
			f := t.flow(w.endpoint(t.vif), had, is, now)
			if !seen {
				had.verdict = w.decide(&f)
			}
			is.until, is.verdict = f.Ended, had.verdict
			switch v := had.verdict; {
			case c.TimeOut > linger && t.vif != w.last, f.TxPkts == 0 && f.RxPkts == 0:
				is = had
			case v.Pass && !v.Needed:
				f.RuleID = v.RuleID
				m.log.Flow(f)
			}
			kept[t] = is
		}
	}
	m.recorded = kept
	return nil
}

// tracks are the ends of a connection that are guests with a flow log. What the device itself opens
// is none.
func (w *watched) tracks(c *netlink.ConntrackFlow) (out []track) {
	opener, asked := side(c.Forward.SrcIP, c.Forward.SrcPort), side(c.Forward.DstIP,
		c.Forward.DstPort)
	target := side(c.Reverse.SrcIP, c.Reverse.SrcPort)
	if vif := w.at[opener.Addr()]; vif != "" {
		out = append(out, track{vif: vif, proto: c.Forward.Protocol, local: opener, remote: asked,
			start: c.TimeStart})
	}
	if vif := w.at[target.Addr()]; vif != "" && !w.own[opener.Addr()] {
		out = append(out, track{vif: vif, inbound: true, proto: c.Forward.Protocol, local: target,
			remote: opener, start: c.TimeStart})
	}
	return out
}

func side(ip []byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netkernel.Addr(ip), port)
}

// count is what was counted of a connection, seen from this end.
func (t *track) count(c *netlink.ConntrackFlow) count {
	tx, rx := &c.Forward, &c.Reverse
	if t.inbound {
		tx, rx = rx, tx
	}
	return count{txBytes: tx.Bytes, txPkts: tx.Packets, rxBytes: rx.Bytes, rxPkts: rx.Packets}
}

// flow is a record of what was counted since the last one.
func (t *track) flow(e device.Endpoint, had, is count, now time.Time) device.Flow {
	f := device.Flow{Endpoint: e, Inbound: t.inbound, Protocol: t.proto, Local: t.local.Addr(),
		LocalPort: t.local.Port(), Remote: t.remote.Addr(), RemotePort: t.remote.Port(),
		Began: had.until, TxBytes: is.txBytes - had.txBytes, TxPkts: is.txPkts - had.txPkts,
		RxBytes: is.rxBytes - had.rxBytes, RxPkts: is.rxPkts - had.rxPkts}
	if f.Began.IsZero() && t.start > 0 {
		f.Began = time.Unix(0, int64(t.start))
	}
	f.Ended = now.Add(-device.FlowRest)
	if f.Ended.Before(f.Began) {
		f.Ended = f.Began
	}
	if f.Began.IsZero() {
		f.Began = f.Ended // it is older than the flow log
	}
	return f
}

// resolutions tells which addresses domain names in rules were resolved to; each set is read once.
func (f *fence) resolutions() func(host string, a netip.Addr) bool {
	read := map[string][]netip.Addr{}
	return func(host string, a netip.Addr) bool {
		name := hostSet(host, a.Is4())
		list, ok := read[name]
		if !ok {
			elements, err := f.GetSetElements(&nftables.Set{Table: bridgeTable(), Name: name})
			if err != nil {
				elements = nil // nobody has such a rule any more
			}
			for _, e := range elements {
				if ip, ok := netip.AddrFromSlice(e.Key); ok {
					list = append(list, ip)
				}
			}
			read[name] = list
		}
		return slices.Contains(list, a)
	}
}
