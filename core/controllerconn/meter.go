package controllerconn

import (
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/metrics"
)

// Bounds of an agent's counters; what comes on top is counted by port only.
const (
	maxMeterPorts = 32
	maxMeterURLs  = 32
)

// count adds an exchange that is over to the agent's MetricsMap, in one row.
func (c *Conn) count(t *agent.Turn, x *Exchange) {
	if c.meter == nil || !sentAny(x.Attempts) {
		return
	}
	var m metrics.MetricsMap
	if old := c.meter.Get(metrics.MetricsMap{}.Key()); old != nil {
		m.Ports = slices.Clone(old.Ports)
	}
	url := c.meterURL(t, x)
	for i := range x.Attempts {
		a := &x.Attempts[i]
		if a.Source == "" {
			continue
		}
		p := portCounters(&m, a.IfName)
		if p == nil {
			continue
		}
		if a.Code != 0 {
			p.SuccessCount++
			p.LastSuccess = t.Wall.Unix()
		} else {
			p.FailureCount++
			if plant.On(plant.CountersBack) && p.SuccessCount > 0 {
				p.SuccessCount--
			}
			p.LastFailure = t.Wall.Unix()
		}
		if i == len(x.Attempts)-1 && x.Status.BadEnvelope() {
			p.AuthVerifyFailureCount++
		}
		p.URLs = countURL(p.URLs, url, a)
	}
	c.meter.Put(m)
}

func sentAny(list []Attempt) bool {
	return slices.ContainsFunc(list, func(a Attempt) bool { return a.Source != "" })
}

// meterURL is the address without what differs from device to device.
func (c *Conn) meterURL(t *agent.Turn, x *Exchange) string {
	url := c.url(t, &x.Request)
	if id := c.Device(); id != "" {
		url = strings.Replace(url, "/id/"+id, "", 1)
	}
	if app := x.Request.App; app != "" {
		url = strings.Replace(url, app, "app", 1)
	}
	return url
}

// portCounters finds or makes the counters of a port, nil when there are too many.
func portCounters(m *metrics.MetricsMap, ifName string) *metrics.PortCounters {
	i, ok := slices.BinarySearchFunc(m.Ports, ifName,
		func(p metrics.PortCounters, name string) int { return strings.Compare(p.Interface, name) })
	if !ok {
		if len(m.Ports) >= maxMeterPorts {
			return nil
		}
		m.Ports = slices.Insert(m.Ports, i, metrics.PortCounters{Interface: ifName})
	}
	return &m.Ports[i]
}

// countURL adds an attempt to the counters of its URL; the old list, a published row's, stays as
// it is.
func countURL(old []metrics.URLCounters, url string, a *Attempt) []metrics.URLCounters {
	i, ok := slices.BinarySearchFunc(old, url,
		func(u metrics.URLCounters, name string) int { return strings.Compare(u.URL, name) })
	if !ok && len(old) >= maxMeterURLs {
		return old
	}
	list := make([]metrics.URLCounters, len(old), len(old)+1)
	copy(list, old)
	if !ok {
		list = slices.Insert(list, i, metrics.URLCounters{URL: url})
	}
	u := &list[i]
	u.TryMsgCount++
	u.TryByteCount += int64(a.Sent)
	u.TotalTimeMs += a.Took.Milliseconds()
	if a.Code != 0 {
		u.SentMsgCount++
		u.SentByteCount += int64(a.Sent)
		u.RecvMsgCount++
		u.RecvByteCount += int64(a.Recv)
	}
	return list
}
