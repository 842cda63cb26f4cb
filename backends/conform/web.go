package conform

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/web"
)

// WebSetup is a part web to check, on a device with two ports that have addresses and routes. What
// stands in WebWorld is behind them, and the hosts of Site. It trusts Site.Public as the system's
// root, and Site.Controller as the controller's.
type WebSetup struct {
	Setup
	Site *WebSite
	// Cable pulls the cable of a port, or puts it in; on the device's loop.
	Cable func(ifname string, in bool)
	// Content is what there is of a download; on the device's loop.
	Content func(target string) []byte
	// Fill leaves so many bytes free on the disk of downloads, or frees it if negative; on the
	// device's loop.
	Fill func(free int64)
	// Take has a whole download become a blob, as the part store does; on the device's loop.
	Take func(target string)
	// Meddle has somebody delete a download; on the device's loop.
	Meddle func(target string)
}

// WebWorld is what is behind the ports, in the format of network models, with room for certificate
// and key of the authority for proxies. Nobody is told of what is sent to 10.97.7.0/24; there is no
// way to 10.97.8.80.
const (
	WebWorld = `{
  "ports": [{"logicalLabel": "p0", "adminUP": true},
    {"logicalLabel": "p1", "adminUP": true,
     "trafficControl": {"rateLimit": 1500, "queueLimit": 1500, "burstLimit": 15}}],
  "bridges": [{"logicalLabel": "b0", "ports": ["p0"]}, {"logicalLabel": "b1", "ports": ["p1"]}],
  "networks": [
    {"logicalLabel": "lan0", "bridge": "b0", "router": {"outsideReachability": true,
      "reachableEndpoints": ["dns", "lame", "proxy", "login", "tlsproxy"]}, "dualStack": {
      "ipv4": {"subnet": "10.97.0.0/24", "gwIP": "10.97.0.1"},
      "ipv6": {"subnet": "fd00:97::/64", "gwIP": "fd00:97::1"}}},
    {"logicalLabel": "lan1", "bridge": "b1", "router": {"outsideReachability": true,
      "reachableEndpoints": ["dns", "lame", "proxy", "login", "tlsproxy"]},
      "subnet": "10.97.1.0/24", "gwIP": "10.97.1.1"}],
  "firewall": {"rules": [{"dstSubnet": "10.97.7.0/24", "action": "drop"}]},
  "endpoints": {
    "dnsServers": [
      {"logicalLabel": "dns", "upstreamServers": ["8.8.8.8"], "dualStack": {
        "ipv4": {"subnet": "10.97.9.0/24", "ip": "10.97.9.53"},
        "ipv6": {"subnet": "fd00:97:9::/64", "ip": "fd00:97:9::53"}},
       "staticEntries": [%s,
         {"fqdn": "dropped.example", "ip": "10.97.7.80"},
         {"fqdn": "hidden.example", "ip": "10.97.8.80"},
         {"fqdn": "proxy.example", "ip": "10.97.9.31"},
         {"fqdn": "login.example", "ip": "10.97.9.32"},
         {"fqdn": "tlsproxy.example", "ip": "10.97.9.33"}]},
      {"logicalLabel": "lame", "subnet": "10.97.10.0/24", "ip": "10.97.10.53"}],
    "httpServers": [{"logicalLabel": "hidden", "subnet": "10.97.8.0/24", "ip": "10.97.8.80",
      "httpPort": 80}],
    "explicitProxies": [
      {"logicalLabel": "proxy", "fqdn": "proxy.example", "subnet": "10.97.9.0/24",
       "ip": "10.97.9.31", "privateDNS": ["dns"], "httpProxy": {"port": 3128},
       "proxyRules": [{"reqHost": "banned.example", "action": "reject"}]},
      {"logicalLabel": "login", "fqdn": "login.example", "subnet": "10.97.9.0/24",
       "ip": "10.97.9.32", "privateDNS": ["dns"], "httpProxy": {"port": 3128},
       "users": [{"username": "alice", "password": "sesame"}]},
      {"logicalLabel": "tlsproxy", "fqdn": "tlsproxy.example", "subnet": "10.97.9.0/24",
       "ip": "10.97.9.33", "privateDNS": ["dns"], "caCertPEM": %q, "caKeyPEM": %q,
       "httpsProxy": {"port": 3129, "listenProto": "https"}}]}}`
	webSource    = "10.97.0.50"
	webSourceSix = "fd00:97::50"
	webSource1   = "10.97.1.50"
	webDNS       = "10.97.9.53"
	webDNSSix    = "fd00:97:9::53"
	webLame      = "10.97.10.53" // refuses all questions
	webDeaf      = "10.97.9.31"  // no DNS server
	webSilent    = "10.97.7.53"  // nobody
)

// World is WebWorld with the names and authorities of the site.
func (s *WebSite) World() string {
	var names []string
	for _, h := range s.Hosts {
		for _, a := range h.Addrs {
			names = append(names, fmt.Sprintf(`{"fqdn": %q, "ip": %q}`, h.Name, a))
		}
	}
	return fmt.Sprintf(WebWorld, strings.Join(names, ",\n"), s.Proxy.CertPEM, s.Proxy.KeyPEM)
}

// WebSources are the addresses of a port, with the length of their prefix.
func WebSources(ifname string) []netip.Prefix {
	if ifname == "eth1" {
		return []netip.Prefix{netip.MustParsePrefix(webSource1 + "/24")}
	}
	return []netip.Prefix{netip.MustParsePrefix(webSource + "/24"),
		netip.MustParsePrefix(webSourceSix + "/64")}
}

// Web checks a part web on a backend. mk makes one; it is called more than once and cleans up with
// t.
func Web(t *testing.T, b Backend, mk func(t *testing.T) WebSetup) {
	s := suite[*webBench]{part: "web", groups: webCases(), show: map[string]func(any) string{
		web.Partials.String(): unless(showPartial)}}
	s.run(t, b, func(t *testing.T) *webBench { return newWebBench(t, mk) })
}

// webBench is a device with a part web alone.
type webBench struct {
	*bench
	WebSetup
	partials *bus.Sub[web.PartialSeen]
	send     *calls[web.SendReq, web.SendRes]
	fetch    *calls[web.FetchReq, web.FetchRes]
	drop     *calls[web.TargetReq, web.None]
	refs     webRefs
}

// webRefs are references that the device was given.
type webRefs struct{ user, password, proxy, token string }

func newWebBench(t *testing.T, mk func(t *testing.T) WebSetup) *webBench {
	t.Helper()
	x := &webBench{WebSetup: mk(t), send: newCalls(web.Send), fetch: newCalls(web.Fetch),
		drop: newCalls(web.RemovePartial)}
	state := func() string { return rows("partial", x.partials) }
	x.bench = newBench(t, x.Setup, "downloader", state, func(b *bench, p bus.Port) []looker {
		x.partials = bus.Subscribe(p, web.Partials)
		x.send.attach(b, p)
		x.fetch.attach(b, p)
		x.drop.attach(b, p)
		return []looker{x.send, x.fetch, x.drop}
	})
	x.booted(t)
	return x
}

// booted waits until the part has looked at everything.
func (x *webBench) booted(t *testing.T) {
	t.Helper()
	x.until(t, "a complete table", func() bool { return x.partials.Complete() })
}

// webVia is the way through eth0.
func webVia() web.Via {
	return web.Via{IfName: "eth0", Source: netip.MustParseAddr(webSource),
		DNS: []netip.Addr{netip.MustParseAddr(webDNS)}}
}

// get is a GET through eth0.
func get(url string) web.SendReq {
	return web.SendReq{Via: webVia(), Method: "GET", URL: url, TLS: web.TLSWeb}
}

// answers sends and wants an answer with a status code.
func (x *webBench) answers(t *testing.T, q web.SendReq, code int) web.SendRes {
	t.Helper()
	res := x.send.does(t, q, nil)
	if res.Code != code {
		t.Errorf("%s answers %d, want %d", q.URL, res.Code, code)
	}
	return res
}

// says sends and wants an answer with a body.
func (x *webBench) says(t *testing.T, q web.SendReq, body string) web.SendRes {
	t.Helper()
	res := x.answers(t, q, 200)
	if string(res.Body) != body {
		t.Errorf("%s answers %.300q, want %q", q.URL, res.Body, body)
	}
	return res
}

// refuses sends and wants a fault that may heal, and within a time, if there is one.
func (x *webBench) refuses(t *testing.T, q web.SendReq, code string, within time.Duration) {
	t.Helper()
	began := time.Now()
	x.send.refuses(t, q, code, true)
	if took := time.Since(began); took > cmp.Or(within, patience) {
		t.Errorf("%s: fault %s took %v, want %v at most", q.URL, code, took, within)
	}
}

func addrs(texts ...string) (out []netip.Addr) {
	for _, a := range texts {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}
