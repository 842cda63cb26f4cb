package downloader

import (
	"strings"

	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
)

// login is what a request of a job shows: the token of a registry, or the datastore's credentials
// where they are wanted. A datastore of files has the scheme in its key, as EVE sends it: "Bearer",
// "Basic".
func (a *downloader) login(j *job, ds *content.DatastoreConfig) web.Login {
	switch {
	case j.Token != "":
		return web.Login{Auth: web.AuthBearer, Secret: j.Token}
	case !j.Login:
		return web.Login{}
	case ds.DsType == content.DsContainerRegistry:
		return web.Login{User: ds.ApiKey, Secret: ds.Password}
	}
	return web.Login{Auth: web.AuthScheme, User: ds.ApiKey, Secret: ds.Password}
}

// trusts reports whether the datastore's credentials, if it has any, may be sent to a URL: without
// TLS only where the settings allow it. A registry that is spoken to without TLS is another
// matter, as with container tools: who set it up wants it so.
func (a *downloader) trusts(j *job, url string) bool {
	ds := a.datastores.Get(j.Route.Datastore)
	plain := !strings.HasPrefix(strings.ToLower(url), "https://")
	return ds.Password != "" &&
		(!plain || a.items.Get("global").Bool(config.AllowInsecureAuth))
}
