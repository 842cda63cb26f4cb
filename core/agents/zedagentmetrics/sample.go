package zedagentmetrics

import (
	"cmp"
	"slices"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/eveapi/report"
)

// sample is the counters as they were sampled last. A query that fails leaves them as they are. It
// survives a crash of the agent, so that counters do not go back then.
type sample struct {
	Host  total // of the host's own use
	Ports []count
	Vifs  []count
	Apps  []total
}

// Key is "sample".
func (sample) Key() string { return "sample" }

// count is the counters of one interface.
type count struct {
	Now  report.Traffic // as they are counted now
	Base report.Traffic // of interfaces of this name that are no more
}

// total is what one application uses, or the host.
type total struct {
	Now    report.Usage
	BaseNs uint64 // processor time of guests of this application that are no more
}

// add sums two sets of counters.
func add(a, b report.Traffic) report.Traffic {
	return report.Traffic{
		IfName: a.IfName, TxBytes: a.TxBytes + b.TxBytes, RxBytes: a.RxBytes + b.RxBytes,
		TxPkts: a.TxPkts + b.TxPkts, RxPkts: a.RxPkts + b.RxPkts,
		TxDrops: a.TxDrops + b.TxDrops, RxDrops: a.RxDrops + b.RxDrops,
		TxErrors: a.TxErrors + b.TxErrors, RxErrors: a.RxErrors + b.RxErrors,
		TxACLDrops: a.TxACLDrops + b.TxACLDrops, RxACLDrops: a.RxACLDrops + b.RxACLDrops,
	}
}

// restarted reports whether an interface was made anew: a counter went back.
func restarted(was, now *report.Traffic) bool {
	return now.TxBytes < was.TxBytes || now.RxBytes < was.RxBytes || now.TxPkts < was.TxPkts ||
		now.RxPkts < was.RxPkts
}

// advance takes new counters over the old ones. Interfaces that are not there at the moment are
// kept while keep says so. now is sorted by interface.
func advance(old []count, now []report.Traffic, keep func(name string) bool) []count {
	out := make([]count, 0, len(now))
	for i := range now {
		c := count{Now: now[i], Base: report.Traffic{IfName: now[i].IfName}}
		if j, ok := slices.BinarySearchFunc(old, now[i].IfName, byName); ok {
			c.Base = old[j].Base
			if restarted(&old[j].Now, &c.Now) {
				c.Base = add(c.Base, old[j].Now)
			}
		}
		out = append(out, c)
	}
	missing := false
	for _, c := range old {
		_, there := slices.BinarySearchFunc(out[:len(now)], c.Now.IfName, byName)
		if !there && keep(c.Now.IfName) {
			out = append(out, c)
			missing = true
		}
	}
	if missing {
		slices.SortFunc(out, func(a, b count) int { return cmp.Compare(a.Now.IfName, b.Now.IfName) })
	}
	return out
}

func byName(c count, name string) int { return cmp.Compare(c.Now.IfName, name) }

// take keeps what the queries found, each one only if it went well.
func (a *meter) take() {
	s := sample{}
	if old := a.samples.Get("sample"); old != nil {
		s = *old
	}
	if call := a.nic.Get(key); call.Phase == agent.Done {
		s.Ports = advance(s.Ports, portTraffic(call.Res), func(string) bool { return false })
	}
	if call := a.bridge.Get(key); call.Phase == agent.Done {
		s.Vifs = advance(s.Vifs, vifTraffic(call.Res), a.usesVif)
	}
	if call := a.hyper.Get(key); call.Phase == agent.Done {
		s.Host.Now = usage(&call.Res.Host)
		s.Apps = a.advanceApps(s.Apps, call.Res.Domains)
	}
	a.samples.Put(s)
}

// usesVif reports whether an application has an interface of this name.
func (a *meter) usesVif(name string) bool {
	for _, x := range a.apps.All() {
		for i := range x.AppNetAdapters {
			if x.AppNetAdapters[i].Vif == name {
				return true
			}
		}
	}
	return false
}

// advanceApps takes what guests use now over what they used before. An application that has no
// guest at the moment uses nothing, but keeps its processor time.
func (a *meter) advanceApps(old []total, now []hyper.Usage) []total {
	var out []total
	for i := range now {
		if now[i].AppID == "" {
			continue
		}
		t := total{Now: usage(&now[i])}
		if j, ok := slices.BinarySearchFunc(old, t.Now.AppID, byApp); ok {
			t.BaseNs = old[j].BaseNs
			if t.Now.CPUTotalNs < old[j].Now.CPUTotalNs {
				t.BaseNs += old[j].Now.CPUTotalNs
			}
		}
		out = append(out, t)
	}
	for _, t := range old {
		gone := !slices.ContainsFunc(out, func(x total) bool { return x.Now.AppID == t.Now.AppID })
		if gone && a.apps.Get(t.Now.AppID) != nil {
			t.BaseNs += t.Now.CPUTotalNs
			t.Now = report.Usage{AppID: t.Now.AppID}
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(x, y total) int { return cmp.Compare(x.Now.AppID, y.Now.AppID) })
	return out
}

func byApp(t total, id string) int { return cmp.Compare(t.Now.AppID, id) }

func usage(u *hyper.Usage) report.Usage {
	return report.Usage{AppID: u.AppID, CPUTotalNs: u.CPUTotalNs, AllocatedMB: u.AllocatedMB,
		UsedMB: u.UsedMB}
}

func portTraffic(res *nic.CountersRes) []report.Traffic {
	out := make([]report.Traffic, 0, len(res.Counters))
	for _, c := range res.Counters {
		out = append(out, report.Traffic{
			IfName: c.IfName, TxBytes: c.TxBytes, RxBytes: c.RxBytes, TxPkts: c.TxPkts,
			RxPkts: c.RxPkts, TxDrops: c.TxDrops, RxDrops: c.RxDrops, TxErrors: c.TxErrors,
			RxErrors: c.RxErrors})
	}
	return sorted(out)
}

func vifTraffic(res *bridge.CountersRes) []report.Traffic {
	out := make([]report.Traffic, 0, len(res.Counters))
	for _, c := range res.Counters {
		out = append(out, report.Traffic{
			IfName: c.Vif, TxBytes: c.TxBytes, RxBytes: c.RxBytes, TxPkts: c.TxPkts,
			RxPkts: c.RxPkts, TxDrops: c.TxDrops, RxDrops: c.RxDrops, TxACLDrops: c.TxACLDrops,
			RxACLDrops: c.RxACLDrops})
	}
	return sorted(out)
}

func sorted(list []report.Traffic) []report.Traffic {
	order := func(a, b report.Traffic) int { return cmp.Compare(a.IfName, b.IfName) }
	if !slices.IsSortedFunc(list, order) {
		slices.SortFunc(list, order)
	}
	return list
}
