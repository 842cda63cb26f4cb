package metadata

import (
	"mime"
	"net/http"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// take takes what a guest posts; app is empty for a stranger.
func (d *Desk) take(app string, n *device.Intake, q *Request) Answer {
	if q.Method != http.MethodPost {
		return wrongMethod("POST")
	}
	kind, _, err := mime.ParseMediaType(q.Type)
	switch {
	case err != nil || kind != n.Type:
		return plain(http.StatusUnsupportedMediaType)
	case len(q.Body) > n.Limit:
		return plain(http.StatusInternalServerError) // EVE: not 413
	case app == "":
		return plain(http.StatusNoContent)
	case !d.pays(app):
		return plain(http.StatusTooManyRequests)
	}
	d.posts.Put(device.PostSeen{App: app, Kind: n.Kind, Body: q.Body})
	return plain(http.StatusOK)
}

// pays reports whether an application may post now.
func (d *Desk) pays(app string) bool {
	now := d.pt.Now()
	until := max(d.paid[app], now)
	if until-now > (device.PostBurst-1)*device.PostEvery {
		return false
	}
	d.paid[app] = until + device.PostEvery
	return true
}
