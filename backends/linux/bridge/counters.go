package bridge

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// sample is what the kernel counted on a guest's interface, from the guest's view.
func sample(l netlink.Link, drops map[string]uint64) device.Counter {
	name := l.Attrs().Name
	c := device.Counter{Vif: name, TxACLDrops: drops[dropsFrom(name)],
		RxACLDrops: drops[dropsTo(name)]}
	if s := l.Attrs().Statistics; s != nil {
		c.TxBytes, c.RxBytes, c.TxPkts, c.RxPkts = s.RxBytes, s.TxBytes, s.RxPackets, s.TxPackets
		c.TxDrops, c.RxDrops = s.RxDropped, s.TxDropped
	}
	return c
}

// each calls f for each count of a and the same of b.
func each(a, b *device.Counter, f func(a *uint64, b uint64)) {
	f(&a.TxBytes, b.TxBytes)
	f(&a.RxBytes, b.RxBytes)
	f(&a.TxPkts, b.TxPkts)
	f(&a.RxPkts, b.RxPkts)
	f(&a.TxDrops, b.TxDrops)
	f(&a.RxDrops, b.RxDrops)
	f(&a.TxACLDrops, b.TxACLDrops)
	f(&a.RxACLDrops, b.RxACLDrops)
}

// count is what an interface counted in this boot, also before it or its rules were made anew: the
// kernel starts again at 0.
func (m *machine) count(now device.Counter) device.Counter {
	past, last := m.passed[now.Vif], m.last[now.Vif]
	var past2 []uint64
	each(&past, &last, func(_ *uint64, was uint64) { past2 = append(past2, was) })
	i := 0
	each(&past, &now, func(p *uint64, is uint64) {
		if is < past2[i] {
			*p += past2[i]
		}
		i++
	})
	m.passed[now.Vif], m.last[now.Vif] = past, now
	sum := past
	sum.Vif = now.Vif
	each(&sum, &now, func(s *uint64, is uint64) { *s += is })
	return sum
}

// drops are the packets that access rules dropped, by the name of the counter.
func (k *kernel) drops() (map[string]uint64, error) {
	f, err := k.fence()
	if err != nil {
		return nil, err
	}
	defer f.close()
	list, err := f.GetNamedObjects(bridgeTable())
	if err != nil {
		return nil, fmt.Errorf("read counters of nftables: %w", err)
	}
	out := map[string]uint64{}
	for _, o := range list {
		if x, ok := o.(*nftables.NamedObj); ok {
			if c, ok := x.Obj.(*expr.Counter); ok {
				out[x.Name] = c.Packets
			}
		}
	}
	return out, nil
}

// counters samples the interfaces of guests.
func (m *machine) counters(ctx context.Context) (res device.CountersRes, f *agent.Fault) {
	f = m.Ask(ctx, func() error {
		links, err := m.k.LinkList()
		if err != nil {
			return fmt.Errorf("read counters: %w", err)
		}
		drops, err := m.k.drops()
		if err != nil {
			return err
		}
		for _, l := range links {
			if name := l.Attrs().Name; guest(name) || m.spec("vif/"+name) != nil {
				res.Counters = append(res.Counters, m.count(sample(l, drops)))
			}
		}
		slices.SortFunc(res.Counters, func(a, b device.Counter) int {
			return strings.Compare(a.Vif, b.Vif)
		})
		return nil
	})
	return res, f
}
