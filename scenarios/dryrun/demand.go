package dryrun

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/scenarios/twin"
)

// demand tells the datastores which hashes the configuration asks of files, so that they make
// content up that is taken for right. Images are asked for by their hash anyway.
// The datastores listen where they are said to.
func demand(site *twin.Site, cfg *config.EdgeDevConfig) {
	stores := make(map[string]*config.DatastoreConfig, len(cfg.GetDatastores()))
	for _, d := range cfg.GetDatastores() {
		stores[strings.ToLower(d.GetId())] = d
		if u, ok := address(d); ok && u.Port() != "" {
			if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
				site.Listen(strings.ToLower(u.Hostname()), uint16(port), u.Scheme != "http")
			}
		}
	}
	for _, c := range cfg.GetContentInfo() {
		if c.GetSha256() == "" {
			continue
		}
		for _, id := range append([]string{c.GetDsId()}, c.GetDsIdsList()...) {
			d := stores[strings.ToLower(id)]
			if d == nil || d.GetDType() == config.DsType_DsContainerRegistry {
				continue
			}
			if host, path, ok := place(d, c.GetURL()); ok {
				site.Store(host).Demand(path, c.GetSha256())
			}
		}
	}
}

// address is the address of a datastore, which need not say how it is spoken to.
func address(d *config.DatastoreConfig) (*url.URL, bool) {
	base := d.GetFqdn()
	if !strings.Contains(base, "://") {
		scheme := "https://"
		if d.GetDType() == config.DsType_DsHttp {
			scheme = "http://"
		}
		base = scheme + base
	}
	u, err := url.Parse(base)
	return u, err == nil && u.Hostname() != ""
}

// place is where a file of a datastore is: host and path.
func place(d *config.DatastoreConfig, name string) (host, path string, ok bool) {
	u, ok := address(d)
	if !ok {
		return "", "", false
	}
	for _, part := range []string{u.Path, d.GetDpath(), name} {
		if part = strings.Trim(part, "/"); part != "" {
			path += "/" + part
		}
	}
	if clean, err := url.Parse(path); err == nil {
		path = clean.Path
	}
	return strings.ToLower(u.Hostname()), path, true
}
