package conform_test

import (
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/web"
	"github.com/evetwin/evetwin/backends/sim/world"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

func TestModelWebConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.Web(t, model, modelWeb)
}

// anew is a model whose secrets go with the power.
type anew struct{ *web.Web }

// Wire starts a boot.
func (a anew) Wire(k *host.Kernel) {
	a.Keeper = secret.New([]byte("key"))
	a.Web.Wire(k)
}

// modelWeb makes a model of a part web.
func modelWeb(t *testing.T) conform.WebSetup {
	site := conform.NewWebSite(t)
	m, err := world.Parse("web", []byte(site.World()))
	if err != nil {
		t.Fatal(err)
	}
	w := world.New(m, world.Options{Outside: outside(site)})
	d := disk.New(1<<30, 1<<20)
	port := map[string]string{"eth0": "p0", "eth1": "p1"}
	part := &web.Web{World: w, Disk: d, Clock: time.Now,
		From: func(ifname string, src netip.Addr) (world.From, bool) {
			for _, p := range conform.WebSources(ifname) {
				if port[ifname] != "" && p.Addr() == src {
					return world.From{Attach: world.Attach{Port: port[ifname]}, Src: src}, true
				}
			}
			return world.From{}, false
		},
		Roots: func(policy string) []string {
			if policy == device.TLSController {
				return []string{site.Public.CertPEM, site.Controller.CertPEM}
			}
			return []string{site.Public.CertPEM}
		}}
	gone := func(target string) {
		delete(d.Partials, target)
		part.Taken(target)
	}
	return conform.WebSetup{Setup: conform.Setup{Part: anew{part}, Cut: cutter(d)}, Site: site,
		Cable: func(ifname string, in bool) {
			if in {
				w.Plug(port[ifname])
			} else {
				w.Cut(port[ifname])
			}
		},
		Content: func(target string) []byte {
			if p := d.Partials[target]; p != nil {
				return p.Data
			}
			return nil
		},
		Fill: func(free int64) {
			d.Total = 1 << 30
			if free >= 0 {
				d.Total = d.Used() + free
			}
		},
		Take: gone, Meddle: gone}
}

// outside finds the servers of a site by name and address.
func outside(site *conform.WebSite) func(host string) *world.Origin {
	servers := map[string]*world.Origin{}
	for _, h := range site.Hosts {
		o := &world.Origin{Label: h.Name, Owner: h.Name, Chain: h.Cert.Certificate,
			Serve: func(_ time.Time, r *world.Request) *world.Response {
				return answer(site.Answer(conform.WebAsk{Method: r.Method, Path: r.URL.Path,
					Header: r.Header, Body: r.Body, Remote: r.Remote.String()}), r)
			}}
		servers[h.Name] = o
		for _, a := range h.Addrs {
			o.Addrs = append(o.Addrs, netip.MustParseAddr(a))
			servers[a] = o
		}
	}
	return func(host string) *world.Origin { return servers[host] }
}

// answer is an answer of the site as the model has it.
func answer(a conform.WebAnswer, r *world.Request) *world.Response {
	x := &world.Response{Status: a.Status, Header: a.Header, Body: a.Body}
	if a.File {
		x = world.Content(r, world.Blob{Type: a.Header.Get("Content-Type"), ETag: a.ETag,
			Size: int64(len(a.Body)), Read: func(off, n int64) []byte { return a.Body[off : off+n] }})
	}
	if r.Method == http.MethodHead {
		x.Body = nil
	}
	x.Body = slices.Clip(x.Body)
	x.Think, x.Drop, x.Sent = a.Think, a.Drop, int64(a.Sent)
	return x
}
