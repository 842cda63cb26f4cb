package world

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// maxSeen limits how many names the world remembers behind derived addresses.
const maxSeen = 4096

// publicResolvers are the DNS servers of the Internet.
var publicResolvers = []string{
	"1.0.0.1", "1.1.1.1", "8.8.4.4", "8.8.8.8", "9.9.9.9", "149.112.112.112", "208.67.220.220",
	"208.67.222.222", "2001:4860:4860::8844", "2001:4860:4860::8888", "2606:4700:4700::1001",
	"2606:4700:4700::1111", "2620:fe::fe",
}

// wellKnown are names of the Internet that exist without Options.Outside; a leading dot
// stands for all names below.
var wellKnown = []string{
	"docker.io", ".docker.io", "docker.com", ".docker.com", "gcr.io", "ghcr.io", "quay.io",
	"registry.k8s.io", "github.com", ".github.com", ".githubusercontent.com", "google.com",
	"www.google.com", "ipinfo.io", ".amazonaws.com", ".blob.core.windows.net",
	".googleapis.com", "zededa.com", ".zededa.com", ".zededa.net", "pool.ntp.org",
	".pool.ntp.org", "time.google.com", "time.cloudflare.com", "time.nist.gov", "example.com",
	".example.com",
}

// KnownOutside tells whether a name exists even if Options.Outside has no server for it: it
// resolves, answers 200 to GET / and 404 to everything else, and tells the time.
func KnownOutside(name string) bool {
	name = canonical(name)
	return slices.ContainsFunc(wellKnown, func(k string) bool {
		return k == name || k[0] == '.' && strings.HasSuffix(name, k)
	})
}

// outsideOrigin finds the server of the Internet under a name or address; nil for none.
func (w *World) outsideOrigin(host string) *Origin {
	if o := w.o.Outside(host); o != nil {
		return o
	}
	if !KnownOutside(host) {
		return nil
	}
	o := &Origin{Label: host, Owner: host, Serve: greet}
	if w.o.PublicCA != nil {
		// An authority that cannot sign leaves its servers without TLS, which clients notice.
		o.Chain, _ = w.o.PublicCA.Issue(host)
	}
	return o
}

func greet(_ time.Time, r *Request) *Response {
	if r.URL.Path == "/" || r.URL.Path == "" {
		return Content(r, textBlob("text/plain", r.HostName()+"\n"))
	}
	return notFound()
}

// textBlob is a text as a Blob.
func textBlob(kind, text string) Blob {
	return Blob{Type: kind, Size: int64(len(text)), Read: func(off, n int64) []byte {
		return []byte(text[off : off+n])
	}}
}

// originAddrs are the addresses of a server of the Internet: its own, or those that belong to
// its name, one in 198.18.0.0/15 and one in 2001:db8:1::/64.
func originAddrs(o *Origin, host string) []netip.Addr {
	if len(o.Addrs) > 0 {
		return o.Addrs
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}
	}
	d := digest("address", "", []string{host})
	six := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 1}
	copy(six[8:], d[4:12])
	return []netip.Addr{
		netip.AddrFrom4([4]byte{198, 18 | d[0]&1, d[1], d[2]}), netip.AddrFrom16(six),
	}
}

// publicNames resolves a name as the DNS of the Internet does; nil: NXDOMAIN.
func (w *World) publicNames(name string) []netip.Addr {
	if slices.Contains(w.control.origin.Names, name) {
		return w.control.addrs
	}
	o := w.outsideOrigin(name)
	if o == nil {
		return nil
	}
	as := originAddrs(o, name)
	for _, a := range as {
		if len(w.seen) < maxSeen {
			w.seen[a] = name
		}
	}
	return as
}

// nameOf is the name that an address of the outside was found under; else the address.
func (w *World) nameOf(a netip.Addr) string {
	if name, ok := w.seen[a]; ok {
		return name
	}
	return a.String()
}

// originAt finds the server of the Internet at an address, reached under the name host. Under a
// name that is not its own a server has nothing to give.
func (w *World) originAt(a netip.Addr, host string) *Origin {
	if o := w.outsideOrigin(canonical(host)); o != nil && o.answersFor(canonical(host), a) {
		return o
	}
	o := w.outsideOrigin(w.nameOf(a))
	if _, err := netip.ParseAddr(host); o != nil && err != nil && canonical(host) != w.nameOf(a) {
		stranger := *o // it has nothing under a name that is not its own
		stranger.Serve = nil
		return &stranger
	}
	return o
}

// isResolver tells whether a public DNS server has the address.
func isResolver(a netip.Addr) bool { return slices.Contains(publicResolvers, a.String()) }
