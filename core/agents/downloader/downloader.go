package downloader

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
)

type downloader struct {
	want       *bus.Sub[content.DownloaderConfig]
	tags       *bus.Sub[content.ResolveConfig]
	datastores *bus.Sub[content.DatastoreConfig]
	net        *bus.Sub[network.DeviceNetworkStatus]
	items      *bus.Sub[config.ConfigItemValueMap]
	partials   *bus.Sub[web.PartialSeen]

	status   *bus.Pub[content.DownloaderStatus]
	resolved *bus.Pub[content.ResolveStatus]
	counters *bus.Pub[metrics.MetricsMap]
	jobs     *bus.Pub[job]
	tallies  *bus.Pub[tally]
	access   *bus.Pub[access]

	fetch  *agent.Calls[web.FetchReq, web.FetchRes]
	send   *agent.Calls[web.SendReq, web.SendRes]
	remove *agent.Calls[web.TargetReq, web.None]
}

// New builds the agent.
func New(p bus.Port) agent.Agent {
	return &downloader{
		want:       bus.Subscribe(p, content.Downloads),
		tags:       bus.Subscribe(p, content.Resolves),
		datastores: bus.Subscribe(p, content.Datastores),
		net:        bus.Subscribe(p, network.DNS),
		items:      bus.Subscribe(p, config.Items),
		partials:   bus.Subscribe(p, web.Partials),
		status:     bus.Publish(p, content.DownloadStatuses),
		resolved:   bus.Publish(p, content.ResolveStatuses),
		counters:   bus.Publish(p, metrics.Maps.Of("downloader")),
		jobs:       bus.Publish(p, jobs),
		tallies:    bus.Publish(p, tallies),
		access:     bus.Publish(p, accesses),
		fetch:      agent.Use(p, web.Fetch),
		send:       agent.Use(p, web.Send),
		remove:     agent.Use(p, web.RemovePartial),
	}
}

// Step looks at every download and resolution that something it stands on has changed for.
func (a *downloader) Step(t *agent.Turn) {
	var w agent.Work
	agent.Keys(&w, a.want)
	agent.Keys(&w, a.tags)
	w.Add(a.fetch.Ended()...)
	w.Add(a.send.Ended()...)
	w.Add(t.Due()...)
	for _, target := range a.remove.Ended() {
		w.Add(a.itemOf(&web.PartialSeen{Target: target}))
	}
	for _, d := range a.partials.Changed() {
		w.Add(a.itemOf(d.Old), a.itemOf(d.New))
	}
	if a.net.Moved() || a.items.Moved() || a.datastores.Moved() || a.want.Moved() ||
		a.tags.Moved() {
		for item := range a.jobs.All() {
			w.Add(item)
		}
		for sha := range a.status.All() {
			w.Add(sha)
		}
		for key := range a.resolved.All() {
			w.Add(key)
		}
	}
	a.sweep(t)
	for _, item := range w.All() {
		switch {
		case a.tags.Get(item) != nil:
			a.resolve(t, item)
		case a.resolved.Get(item) != nil:
			a.forget(item)
			a.resolved.Delete(item)
		default:
			a.download(t, item)
		}
	}
	a.flush(t)
}

// download moves one blob on.
func (a *downloader) download(t *agent.Turn, sha string) {
	c := a.want.Get(sha)
	switch {
	case c == nil && a.want.Gone(sha):
		a.forget(sha)
		if st := a.status.Get(sha); st != nil && a.partials.Get(st.Target) == nil {
			a.status.Delete(sha)
		}
	case c == nil:
	case c.RefCount == 0:
		a.forget(sha)
		a.expire(t, c)
	case a.remove.Get(c.Target).Phase != agent.None:
		// The partial of a withdrawn config is still being removed; what comes starts after it.
		a.status.Delete(sha)
	default:
		a.obtain(t, c)
	}
}

// obtain fetches a blob unless it lies on the disk or was handed over already.
func (a *downloader) obtain(t *agent.Turn, c *content.DownloaderConfig) {
	old, seen := a.status.Get(c.ImageSha256), a.partials.Get(c.Target)
	handed := old != nil && old.State == entity.DOWNLOADED && old.Target == c.Target
	if handed || seen != nil && seen.Whole && !a.busy(c.ImageSha256) {
		a.publish(t, c, nil, seen)
		a.forget(c.ImageSha256)
		return
	}
	j := a.job(c.ImageSha256, orderOf(c))
	if old != nil && j.Step == stepPick && j.Count == 0 && old.HasError() {
		j.Count = old.RetryCount // what was tried before a crash of the agent counts
	}
	a.drive(t, &j)
	a.jobs.Put(j)
	a.publish(t, c, &j, seen)
}

// forget ends the work on an item.
func (a *downloader) forget(item string) {
	a.fetch.Drop(item)
	a.send.Drop(item)
	a.jobs.Delete(item)
}

// itemOf is the blob that a partial belongs to, empty if none.
func (a *downloader) itemOf(p *web.PartialSeen) string {
	if p == nil {
		return ""
	}
	for sha, c := range a.want.All() {
		if c.Target == p.Target {
			return sha
		}
	}
	for sha, st := range a.status.All() {
		if st.Target == p.Target {
			return sha
		}
	}
	return ""
}
