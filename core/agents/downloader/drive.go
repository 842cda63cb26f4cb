package downloader

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// drive moves a job on until it waits for something.
func (a *downloader) drive(t *agent.Turn, j *job) {
	for a.advance(t, j) {
	}
}

func (a *downloader) advance(t *agent.Turn, j *job) (moved bool) {
	switch j.Step {
	case stepPick:
		return a.pick(t, j)
	case stepProbe:
		return a.probe(t, j)
	case stepToken:
		return a.token(t, j)
	case stepFetch:
		return a.transfer(t, j)
	}
	return false
}

// pick begins with the next route that was not tried, or waits. A route that appears during the
// wait, with a new address, is tried at once.
func (a *downloader) pick(t *agent.Turn, j *job) (moved bool) {
	ways, problems := a.routes(&j.Order)
	j.Problems = problems
	for i := range ways {
		if !slices.Contains(j.Tried, ways[i].key()) {
			a.begin(t, j, ways[i])
			return true
		}
	}
	if len(j.Tried) == 0 {
		return false // no way at all: ports, datastores or settings have to change
	}
	if j.RetryAt == 0 {
		every := a.items.Get("global").Seconds(config.DownloadRetry)
		key := "retry/" + j.Item + "/" + time.Duration(j.Count).String()
		j.Delay = t.Between(key, every*3/10, every).Round(time.Second)
		if plant.On(plant.RetryStorm) {
			j.Delay = 20 * time.Millisecond
		}
		j.RetryAt = t.Now + j.Delay
		if j.Since == 0 {
			j.Since = t.Now + 1
		}
		j.Severity = entity.Retried(j.Count, t.Now-j.Since)
	}
	if t.Now < j.RetryAt {
		t.WakeAt(j.Item, j.RetryAt)
		return false
	}
	j.Tried, j.Errors, j.RetryAt = nil, nil, 0
	j.Count++
	j.LastRetry = t.Wall
	return true
}

// begin starts on a route: files are fetched at once; a registry is asked first about what may be a
// manifest, and when it is not known yet what it wants to see.
func (a *downloader) begin(t *agent.Turn, j *job, r route) {
	ds, items := a.datastores.Get(r.Datastore), a.items.Get("global")
	j.Route, j.Token, j.Login = r, "", false
	j.Renewed, j.Again, j.Blob, j.Read = false, false, false, false
	j.Stalled = items.Seconds(config.DownloadStalled)
	if ds.DsType != content.DsContainerRegistry {
		j.Login = a.trusts(j, fileURL(ds, &j.Order))
		j.Step = stepFetch
		return
	}
	j.Step = stepProbe
	known := a.access.Get(place(j, imageOf(ds, j.Order.Name)))
	if known == nil || known.Until <= t.Now {
		return
	}
	j.Token, j.Login = known.Token, known.Login
	if !isManifestType(j.Order.MediaType) {
		j.Step, j.Blob = stepFetch, true
	}
}

// fail gives the route up.
func (a *downloader) fail(j *job, what string) {
	a.fetch.Drop(j.Item)
	a.send.Drop(j.Item)
	verb := "download "
	if j.Order.Sha == "" {
		verb = "resolve "
	}
	j.Errors = append(slices.Clone(j.Errors), verb+j.Order.Name+" from "+
		a.datastores.Get(j.Route.Datastore).Fqdn+" through "+j.Route.Label+" ("+
		j.Route.Via.Source.String()+"): "+what)
	j.Tried = append(slices.Clone(j.Tried), j.Route.key())
	j.Step, j.Route = stepPick, route{}
}
