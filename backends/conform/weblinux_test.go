package conform_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/netlab"
	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/backends/linux/web"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

func TestLinuxWebConforms(t *testing.T) {
	t.Cleanup(netlab.Untouched(t))
	conform.Web(t, realPart("linux"), func(t *testing.T) conform.WebSetup {
		return newWebLab(t).setup()
	})
}

// webLab is a device in a namespace, and its networks and servers in another.
type webLab struct {
	t         *testing.T
	dev, sdn  *netlab.Space
	site      *conform.WebSite
	disk      string // a file system of its own
	downloads *partial.Dir
	part      *web.Web
}

// diskSize is how many bytes the file system of downloads has.
const diskSize = 64 << 20

func newWebLab(t *testing.T) *webLab {
	l := netlab.New(t)
	x := &webLab{t: t, dev: l.Space("dev"), sdn: l.Space("sdn"), site: conform.NewWebSite(t)}
	for i, far := range []string{"lan0", "lan1"} {
		name := "eth" + strconv.Itoa(i)
		l.Cable(x.dev, name, x.sdn, far)
		x.sdn.Sysctl("net/ipv6/conf/"+far+"/keep_addr_on_down", "1")
	}
	x.sdn.Sysctl("net/ipv4/ip_forward", "1")
	x.sdn.Up("lan0", "10.97.0.1/24", "fd00:97::1/64")
	x.sdn.Up("lan1", "10.97.1.1/24")
	x.sdn.Run("ip", "route", "add", "blackhole", "10.97.7.0/24")
	x.sdn.Run("ip", "route", "add", "unreachable", "10.97.8.0/24")
	for _, name := range []string{"srv0", "srv1", "srv2"} { // IPv6 needs a carrier
		l.Cable(x.sdn, name, x.sdn, name+"far")
		x.sdn.Up(name + "far")
	}
	x.sdn.Up("srv0", "10.97.9.53/24")
	x.sdn.Up("srv1", "10.97.10.53/24")
	x.sdn.Up("srv2", "10.97.9.31/24", "10.97.9.32/24", "10.97.9.33/24", "fd00:97:9::53/64")
	for _, h := range x.site.Hosts {
		for _, a := range h.Addrs {
			bits := "/24"
			if strings.Contains(a, ":") {
				bits = "/64"
			}
			x.sdn.Up("srv2", a+bits)
		}
	}
	x.routes()
	x.serve()
	x.disk = t.TempDir()
	x.must(unix.Mount("tmpfs", x.disk, "tmpfs", 0, "size="+strconv.Itoa(diskSize)))
	t.Cleanup(func() { x.must(unix.Unmount(x.disk, 0)) })
	x.downloads = partial.New(filepath.Join(x.disk, "downloads"), durable.Disk{})
	x.part = x.newPart()
	t.Cleanup(x.part.Close)
	return x
}

func (x *webLab) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Error(err)
	}
}

// fill leaves so many bytes free on the disk.
func (x *webLab) fill(free int64) {
	filler := filepath.Join(x.disk, "filler")
	x.must(os.RemoveAll(filler))
	var s unix.Statfs_t
	x.must(unix.Statfs(x.disk, &s))
	if left := int64(s.Bavail)*s.Bsize - free; free >= 0 && left > 0 {
		x.must(os.WriteFile(filler, make([]byte, left), 0o600))
	}
}

// routes gives the device addresses and routes as the part nic lays them: nothing leads out but
// from the address of a port.
func (x *webLab) routes() {
	for _, family := range []string{"-4", "-6"} {
		x.dev.Run("ip", family, "route", "add", "blackhole", "default", "metric", "1")
	}
	for i, ifname := range []string{"eth0", "eth1"} {
		table := strconv.Itoa(500 + i)
		for _, p := range conform.WebSources(ifname) {
			x.dev.Up(ifname, p.String())
			family := "-4"
			if p.Addr().Is6() {
				family = "-6"
			}
			x.dev.Run("ip", family, "rule", "add", "from", p.Addr().String(), "lookup", table)
			x.dev.Run("ip", family, "route", "add", p.Masked().String(), "dev", ifname, "table", table)
			x.dev.Run("ip", family, "route", "add", "default", "via",
				p.Masked().Addr().Next().String(), "dev", ifname, "table", table)
		}
	}
}

func (x *webLab) newPart() *web.Web {
	root := filepath.Join(x.t.TempDir(), "root-certificate.pem")
	if err := os.WriteFile(root, []byte(x.site.Controller.CertPEM), 0o600); err != nil {
		x.t.Fatal(err)
	}
	system := x509.NewCertPool()
	system.AppendCertsFromPEM([]byte(x.site.Public.CertPEM))
	return web.New(web.Options{Space: x.dev.Name, Downloads: x.downloads, RootFile: root,
		System: system, Keeper: func() *secret.Keeper { return secret.New([]byte("key")) },
		OnError: func(err error) { x.t.Error(err) }})
}

// recovered is a part whose folder of downloads is recovered at each boot, which the part store
// does.
type recovered struct {
	*web.Web
	t *testing.T
	d *partial.Dir
}

// Wire starts a boot.
func (r recovered) Wire(k *host.Kernel) {
	r.d.Shut()
	r.Web.Wire(k)
	if err := r.d.Recover(); err != nil {
		r.t.Error(err)
	}
}

func (x *webLab) setup() conform.WebSetup {
	far := map[string]string{"eth0": "lan0", "eth1": "lan1"}
	return conform.WebSetup{Site: x.site,
		Setup: conform.Setup{Part: recovered{x.part, x.t, x.downloads}, Cut: x.part.Close},
		Cable: func(ifname string, in bool) {
			if in {
				x.sdn.Up(far[ifname])
			} else {
				x.sdn.Down(far[ifname])
			}
		},
		Content: func(target string) []byte {
			data, err := os.ReadFile(x.downloads.Locate(target))
			x.must(err)
			return data
		},
		Fill: x.fill,
		Take: func(target string) {
			x.must(x.downloads.Take(target, filepath.Join(x.disk, "taken")))
		},
		Meddle: func(target string) { x.must(os.Remove(x.downloads.Locate(target))) }}
}

// serve starts all servers.
func (x *webLab) serve() {
	names := []string{"dropped.example,10.97.7.80", "hidden.example,10.97.8.80",
		"proxy.example,10.97.9.31", "login.example,10.97.9.32", "tlsproxy.example,10.97.9.33"}
	certs := map[string]*tls.Certificate{}
	for _, h := range x.site.Hosts {
		names = append(names, h.Name+","+strings.Join(h.Addrs, ","))
		certs[h.Name] = &h.Cert
	}
	x.sdn.Serve(netlab.Server{Link: "srv0", Hosts: names, Args: []string{"--local=/example/"}})
	x.sdn.Serve(netlab.Server{Link: "srv1"}) // knows nobody to ask, and refuses
	x.relay("[fd00:97:9::53]:53", "10.97.9.53:53")
	conf := &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if c := certs[h.ServerName]; c != nil {
			return c, nil
		}
		return certs[conform.WebName], nil
	}}
	x.listen(":80", nil, http.HandlerFunc(x.page))
	x.listen(":443", conf, http.HandlerFunc(x.page))
	for addr, p := range map[string]*webProxy{"10.97.9.31": {banned: "banned.example"},
		"10.97.9.32": {login: "alice:sesame"}, "10.97.9.33": {}} {
		p.t, p.space, p.src, p.hosts = x.t, x.sdn, addr, x.site.Hosts
		if addr != "10.97.9.33" {
			x.listen(addr+":3128", nil, p)
		} else {
			c := x.site.Proxy.Issue(x.t, time.Now().AddDate(0, 0, -1), "tlsproxy.example")
			x.listen(addr+":3129", &tls.Config{Certificates: []tls.Certificate{c}}, p)
		}
		x.t.Cleanup(p.end)
	}
}

// relay passes questions of the DNS on, one after the other: dnsmasq is deaf at addresses of IPv6
// that become usable only after it has started.
func (x *webLab) relay(from, to string) {
	var near net.PacketConn
	var far net.Conn
	var err, bad error
	x.sdn.Do(func() {
		near, err = net.ListenPacket("udp", from)
		far, bad = net.Dial("udp", to)
	})
	if err = errors.Join(err, bad); err != nil {
		x.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 4096)
		for {
			n, client, err := near.ReadFrom(buf)
			if err != nil {
				return
			}
			if _, err = far.Write(buf[:n]); err == nil {
				n, err = far.Read(buf)
			}
			if err == nil {
				_, _ = near.WriteTo(buf[:n], client)
			}
		}
	}()
	x.t.Cleanup(func() {
		_ = errors.Join(near.Close(), far.Close())
		<-ended
	})
}

// listen serves HTTP in the network until the test ends.
func (x *webLab) listen(addr string, conf *tls.Config, h http.Handler) {
	var l net.Listener
	var err error
	x.sdn.Do(func() { l, err = net.Listen("tcp", addr) })
	if err != nil {
		x.t.Fatal(err)
	}
	s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	if conf != nil {
		l = tls.NewListener(l, conf)
		s.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	x.t.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			x.t.Error(err)
		}
	})
}

// page serves an answer of the site.
func (x *webLab) page(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		x.t.Error(err)
	}
	a := x.site.Answer(conform.WebAsk{Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body,
		Remote: remote})
	if a.Think > 0 {
		select {
		case <-time.After(a.Think):
		case <-r.Context().Done():
			return
		}
	}
	for name, vs := range a.Header {
		w.Header()[name] = vs
	}
	if a.File && !a.Drop {
		if a.ETag != "" {
			w.Header().Set("ETag", a.ETag)
		}
		http.ServeContent(&paced{w, r, a.Pace}, r, "", time.Time{}, bytes.NewReader(a.Body))
		return
	}
	if a.ETag != "" {
		w.Header().Set("ETag", a.ETag)
	}
	if !a.Chunked && a.Status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	if !a.Drop {
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body)
		return
	}
	if a.Sent > 0 {
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body[:a.Sent])
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

// paced writes at most so many bytes a second, 0: as many as there are.
type paced struct {
	http.ResponseWriter
	r    *http.Request
	pace int
}

// Write writes a tenth of a second's bytes at a time.
func (p *paced) Write(data []byte) (int, error) {
	if p.pace == 0 {
		return p.ResponseWriter.Write(data)
	}
	done := 0
	for len(data) > 0 {
		n, err := p.ResponseWriter.Write(data[:min(len(data), p.pace/10)])
		done += n
		if err != nil {
			return done, err
		}
		data = data[n:]
		_ = http.NewResponseController(p.ResponseWriter).Flush()
		select {
		case <-time.After(100 * time.Millisecond):
		case <-p.r.Context().Done():
			return done, p.r.Context().Err()
		}
	}
	return done, nil
}
