package check

import (
	"time"

	"github.com/lf-edge/eve-api/go/metrics"
)

// countersForward: whoever bills or plots by counters takes a step back for a wrap-around.
//
// EVE: counters of interfaces and guests count from zero after a boot, and those of an application
// that is made anew as well.
func countersForward() Rule {
	return Rule{Name: "counters-forward",
		Says: "No counter that the controller is told goes back while the device is up.",
		New: func(e *Ear) {
			c := &counters{e: e}
			e.OnBoot(func(Boot) { *c = counters{e: e} })
			e.OnMetrics(c.message)
		}}
}

type counters struct {
	e    *Ear
	last *metrics.ZMetricMsg
	up   time.Duration
}

// apart is how far the boots that two messages point to may lie from each other to be the same one,
// and drift the share of the time between them that a clock may be wrong by.
const (
	apart = 2 * time.Second
	drift = 16
)

// message judges a message against the last one of this boot. Messages that a cut left under way
// may come after the boot, even before the first one of it; the uptime in them tells, or the boot
// that their stamp and uptime point to.
func (c *counters) message(m *metrics.ZMetricMsg) {
	up := m.GetDm().GetCpuMetric().GetUpTime().AsTime().Sub(time.Unix(0, 0))
	if up > c.e.Now() || c.last != nil && up <= c.up {
		return // of an earlier boot, doubled or late
	}
	took := m.GetAtTimeStamp().AsTime().Sub(c.last.GetAtTimeStamp().AsTime())
	if c.last != nil && (took-(up-c.up)).Abs() <= apart+(up-c.up)/drift {
		c.e.Judged()
		c.device(c.last.GetDm(), m.GetDm())
		c.apps(c.last.GetAm(), m.GetAm())
	}
	c.up, c.last = up, m
}

func (c *counters) device(was, now *metrics.DeviceMetric) {
	c.forward("cpu", "total", was.GetCpuMetric().GetTotalNs(), now.GetCpuMetric().GetTotalNs())
	c.interfaces("device", was.GetNetwork(), now.GetNetwork())
	for _, n := range now.GetZedcloud() {
		for _, o := range was.GetZedcloud() {
			if o.GetIfName() == n.GetIfName() {
				c.forward(n.GetIfName(), "exchanges", o.GetSuccess(), n.GetSuccess())
				c.forward(n.GetIfName(), "failed exchanges", o.GetFailures(), n.GetFailures())
			}
		}
	}
}

func (c *counters) apps(was, now []*metrics.AppMetric) {
	for _, n := range now {
		for _, o := range was {
			if o.GetAppID() == n.GetAppID() && n.GetCpu() != nil {
				c.forward(n.GetAppID(), "cpu", o.GetCpu().GetTotalNs(), n.GetCpu().GetTotalNs())
			}
			if o.GetAppID() == n.GetAppID() {
				c.interfaces(n.GetAppID(), o.GetNetwork(), n.GetNetwork())
			}
		}
	}
}

// interfaces compares what has one name in both messages.
func (c *counters) interfaces(owner string, was, now []*metrics.NetworkMetric) {
	for _, n := range now {
		for _, o := range was {
			if o.GetIName() != n.GetIName() || o.GetLocalName() != n.GetLocalName() {
				continue
			}
			name := owner + " " + n.GetIName()
			c.forward(name, "bytes sent", o.GetTxBytes(), n.GetTxBytes())
			c.forward(name, "bytes received", o.GetRxBytes(), n.GetRxBytes())
			c.forward(name, "packets sent", o.GetTxPkts(), n.GetTxPkts())
			c.forward(name, "packets received", o.GetRxPkts(), n.GetRxPkts())
			c.forward(name, "drops", o.GetTxDrops()+o.GetRxDrops(), n.GetTxDrops()+n.GetRxDrops())
			c.forward(name, "errors", o.GetTxErrors()+o.GetRxErrors(), n.GetTxErrors()+n.GetRxErrors())
		}
	}
}

func (c *counters) forward(owner, what string, was, now uint64) {
	if now < was {
		c.e.Break("metrics", owner, "%s went from %d back to %d", what, was, now)
	}
}
