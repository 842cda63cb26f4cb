package downloader

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/network"
)

// routes lists the ways to what is ordered, in the order in which they are tried, and why a
// datastore or a port is not among them.
func (a *downloader) routes(o *order) (ways []route, problems []string) {
	ports, problem := a.ports()
	for _, id := range o.Datastores {
		ds := a.datastores.Get(id)
		if ds == nil && !a.datastores.Complete() {
			continue // not known yet
		}
		if wrong := a.unusable(id, ds); wrong != "" {
			problems = append(problems, wrong)
			continue
		}
		url := address(ds, o)
		for _, p := range ports {
			for _, source := range p.Addrs() {
				via, err := controllerconn.Via(p, source, url, nil)
				if err != nil {
					wrong := "port " + p.Logicallabel + ": " + err.Error()
					if !slices.Contains(problems, wrong) {
						problems = append(problems, wrong)
					}
					continue
				}
				via.RootPEM = slices.Concat(p.ProxyCertPEM, ds.DsCertPEM)
				ways = append(ways, route{Datastore: id, Label: p.Logicallabel, Via: via})
			}
		}
	}
	if problem != "" {
		problems = append(problems, problem)
	}
	return ways, problems
}

// unusable says why a datastore cannot be used, empty if it can.
func (a *downloader) unusable(id string, ds *content.DatastoreConfig) string {
	switch {
	case ds == nil:
		return "datastore " + id + " does not exist"
	case ds.Error != "":
		return "datastore " + id + ": " + ds.Error
	}
	switch ds.DsType {
	case content.DsHTTP, content.DsHTTPS, content.DsContainerRegistry:
		return ""
	}
	return "datastore type " + ds.DsType + " is not supported"
}

// ports lists the management ports that content may come through, cheapest first, or says that none
// may.
func (a *downloader) ports() (out []*network.NetworkPortStatus, problem string) {
	limit := a.items.Get("global").Uint(config.DownloadMaxCost)
	dns := a.net.Get("global")
	if dns == nil {
		return nil, "" // nothing is known about ports yet
	}
	for i := range dns.Ports {
		p := &dns.Ports[i]
		if p.IsMgmt && !p.InvalidConfig && uint32(p.Cost) <= limit && len(p.Addrs()) > 0 {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Sprintf("No IP management port addresses with cost <= %d", limit)
	}
	slices.SortStableFunc(out, func(x, y *network.NetworkPortStatus) int {
		return cmp.Compare(x.Cost, y.Cost)
	})
	return out, ""
}

// address is a URL of what is ordered, which also tells the scheme for the choice of a proxy.
func address(ds *content.DatastoreConfig, o *order) string {
	if ds.DsType == content.DsContainerRegistry {
		return imageOf(ds, o.Name).manifest(o.Sha)
	}
	return fileURL(ds, o)
}

// fileURL is datastore, path and name as one URL. A query in the name stays as it is.
func fileURL(ds *content.DatastoreConfig, o *order) string {
	if o.IsURL {
		return o.Name
	}
	base := ds.Fqdn
	if !strings.Contains(base, "://") {
		scheme := "https://"
		if ds.DsType == content.DsHTTP {
			scheme = "http://"
		}
		base = scheme + base
	}
	url := strings.TrimRight(base, "/")
	for _, part := range []string{strings.Trim(ds.Dpath, "/"), strings.TrimLeft(o.Name, "/")} {
		if part != "" {
			url += "/" + part
		}
	}
	return url
}
