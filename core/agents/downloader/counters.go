package downloader

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/topics/metrics"
)

// count notes an exchange that ended. URLs are counted by host, so that the table stays small.
func (a *downloader) count(t *agent.Turn, j *job, address string, ok bool, size int64,
	took time.Duration) {
	var m metrics.MetricsMap
	if old := a.counters.Get("global"); old != nil {
		m.Ports = slices.Clone(old.Ports)
	}
	i, found := slices.BinarySearchFunc(m.Ports, j.Route.Via.IfName,
		func(p metrics.PortCounters, name string) int { return strings.Compare(p.Interface, name) })
	if !found {
		m.Ports = slices.Insert(m.Ports, i, metrics.PortCounters{Interface: j.Route.Via.IfName})
	}
	p := &m.Ports[i]
	if ok {
		p.SuccessCount++
		p.LastSuccess = t.Wall.Unix()
	} else {
		p.FailureCount++
		p.LastFailure = t.Wall.Unix()
	}
	if address == "" {
		address = a.hostOf(j)
	}
	host := originOf(address)
	p.URLs = slices.Clone(p.URLs)
	k, found := slices.BinarySearchFunc(p.URLs, host,
		func(u metrics.URLCounters, h string) int { return strings.Compare(u.URL, h) })
	if !found {
		p.URLs = slices.Insert(p.URLs, k, metrics.URLCounters{URL: host})
	}
	u := &p.URLs[k]
	u.TryMsgCount++
	if ok {
		u.SentMsgCount++
		u.RecvMsgCount++
		u.RecvByteCount += size
		u.TotalTimeMs += took.Milliseconds()
	}
	a.counters.Put(m)
}

// hostOf is where a job fetches from.
func (a *downloader) hostOf(j *job) string {
	ds := a.datastores.Get(j.Route.Datastore)
	if ds == nil {
		return ""
	}
	return address(ds, &j.Order)
}

// originOf is scheme and host of a URL.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
