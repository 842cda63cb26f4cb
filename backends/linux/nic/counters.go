package nic

import (
	"context"
	"fmt"

	"github.com/vishvananda/netlink"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// sample is what the kernel counted on a link.
func sample(l netlink.Link) device.Counter {
	c := device.Counter{IfName: l.Attrs().Name}
	if s := l.Attrs().Statistics; s != nil {
		c.TxBytes, c.RxBytes, c.TxPkts, c.RxPkts = s.TxBytes, s.RxBytes, s.TxPackets, s.RxPackets
		c.TxDrops, c.RxDrops, c.TxErrors, c.RxErrors = s.TxDropped, s.RxDropped, s.TxErrors, s.RxErrors
	}
	return c
}

// plus adds counters; less reports whether some have gone back.
func plus(a, b device.Counter) device.Counter {
	return device.Counter{IfName: a.IfName,
		TxBytes: a.TxBytes + b.TxBytes, RxBytes: a.RxBytes + b.RxBytes,
		TxPkts: a.TxPkts + b.TxPkts, RxPkts: a.RxPkts + b.RxPkts,
		TxDrops: a.TxDrops + b.TxDrops, RxDrops: a.RxDrops + b.RxDrops,
		TxErrors: a.TxErrors + b.TxErrors, RxErrors: a.RxErrors + b.RxErrors}
}

func less(a, b device.Counter) bool {
	return a.TxBytes < b.TxBytes || a.RxBytes < b.RxBytes || a.TxPkts < b.TxPkts ||
		a.RxPkts < b.RxPkts || a.TxDrops < b.TxDrops || a.RxDrops < b.RxDrops ||
		a.TxErrors < b.TxErrors || a.RxErrors < b.RxErrors
}

// count is what an interface counted in this boot, also before it was made anew: the kernel starts
// again at 0 with each interface of the name.
func (m *machine) count(l netlink.Link) device.Counter {
	now := sample(l)
	if less(now, m.last[now.IfName]) {
		m.retire(now.IfName)
	}
	m.last[now.IfName] = now
	sum := plus(m.passed[now.IfName], now)
	sum.IfName = now.IfName
	return sum
}

// retire keeps what an interface that is gone had counted when it was last asked.
func (m *machine) retire(name string) {
	m.passed[name] = plus(m.passed[name], m.last[name])
	delete(m.last, name)
}

// retireGone retires all that are gone.
func (m *machine) retireGone(d *dump) {
	for name := range m.last {
		if d.Link(name) == nil {
			m.retire(name)
		}
	}
}

// counters samples all interfaces of the device.
func (m *machine) counters(ctx context.Context) (res device.CountersRes, f *agent.Fault) {
	f = m.Ask(ctx, func() error {
		d, err := m.dump()
		if err != nil {
			return fmt.Errorf("read counters: %w", err)
		}
		for _, row := range m.picture(d).links {
			res.Counters = append(res.Counters, m.count(d.Link(row.IfName)))
		}
		return nil
	})
	return res, f
}
