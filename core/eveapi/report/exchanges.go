package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/lf-edge/eve-api/go/metrics"

	counters "github.com/evetwin/evetwin/core/topics/metrics"
)

// exchanges merges the counters of all agents' exchanges, by interface and URL.
func exchanges(maps []*counters.MetricsMap) []*metrics.ZedcloudMetric {
	var out []*metrics.ZedcloudMetric
	for _, m := range maps {
		for i := range m.Ports {
			p := &m.Ports[i]
			z := port(&out, p.Interface)
			z.Failures += uint64(p.FailureCount)
			z.Success += uint64(p.SuccessCount)
			z.AuthVerifyFailure += uint64(p.AuthVerifyFailureCount)
			if at := p.LastFailure; at != 0 && at > z.GetLastFailure().GetSeconds() {
				z.LastFailure = stamp(time.Unix(at, 0))
			}
			if at := p.LastSuccess; at != 0 && at > z.GetLastSuccess().GetSeconds() {
				z.LastSuccess = stamp(time.Unix(at, 0))
			}
			for j := range p.URLs {
				addURL(z, &p.URLs[j])
			}
		}
	}
	return out
}

// port finds or makes the counters of an interface; the list stays sorted.
func port(list *[]*metrics.ZedcloudMetric, name string) *metrics.ZedcloudMetric {
	i, ok := slices.BinarySearchFunc(*list, name,
		func(z *metrics.ZedcloudMetric, n string) int { return cmp.Compare(z.GetIfName(), n) })
	if !ok {
		*list = slices.Insert(*list, i, &metrics.ZedcloudMetric{IfName: name})
	}
	return (*list)[i]
}

func addURL(z *metrics.ZedcloudMetric, c *counters.URLCounters) {
	i, ok := slices.BinarySearchFunc(z.UrlMetrics, c.URL,
		func(u *metrics.UrlcloudMetric, n string) int { return cmp.Compare(u.GetUrl(), n) })
	if !ok {
		z.UrlMetrics = slices.Insert(z.UrlMetrics, i, &metrics.UrlcloudMetric{Url: c.URL})
	}
	u := z.UrlMetrics[i]
	u.TryMsgCount += c.TryMsgCount
	u.TryByteCount += c.TryByteCount
	u.SentMsgCount += c.SentMsgCount
	u.SentByteCount += c.SentByteCount
	u.RecvMsgCount += c.RecvMsgCount
	u.RecvByteCount += c.RecvByteCount
	u.TotalTimeSpent += c.TotalTimeMs
}
