package downloader

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/content"
)

// transfer fetches through the route of the job.
func (a *downloader) transfer(t *agent.Turn, j *job) (moved bool) {
	ds := a.datastores.Get(j.Route.Datastore)
	req := web.FetchReq{Via: j.Route.Via, TLS: web.TLSWeb, Target: j.Order.Target,
		MaxSize: int64(j.Order.Max), Stalled: j.Stalled, Login: a.login(j, ds)}
	registry := ds.DsType == content.DsContainerRegistry
	switch im := imageOf(ds, j.Order.Name); {
	case !registry:
		req.URL = fileURL(ds, &j.Order)
	case j.Blob:
		req.URL, req.Header = im.blob(j.Order.Sha), headers(false)
	default:
		req.URL, req.Header = im.manifest(j.Order.Sha), headers(true)
	}
	call := a.fetch.Want(j.Item, req)
	if !call.Over() {
		return false
	}
	a.fetch.Drop(j.Item)
	var size int64
	if call.Phase == agent.Done {
		size = call.Res.Size
	}
	a.count(t, j, req.URL, call.Phase == agent.Done, size, call.Ended-call.Began)
	switch {
	case call.Phase == agent.Done: // a whole file would have been seen before this outcome
		a.fail(j, "the downloaded file is gone")
	case registry && call.Fault.Code == web.FaultStatus && !j.Renewed && !j.Again:
		a.access.Delete(place(j, imageOf(ds, j.Order.Name)))
		j.Token, j.Login, j.Again, j.Step = "", false, true, stepProbe
	default:
		a.fail(j, call.Fault.Text)
	}
	return true
}

// arrived notes how a transfer ended whose file lies whole on the disk.
func (a *downloader) arrived(t *agent.Turn, sha string) (contentType string) {
	j, call := a.jobs.Get(sha), a.fetch.Get(sha)
	if j == nil || call.Phase != agent.Done {
		return ""
	}
	a.count(t, j, "", true, call.Res.Size, call.Ended-call.Began)
	return call.Res.ContentType
}
