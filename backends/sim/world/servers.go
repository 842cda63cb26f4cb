package world

import (
	"net/http"
	"net/url"
	"path"
	"time"
)

// State is how a server behaves that is not well.
type State uint8

// States of a server.
const (
	Up       State = iota
	Refusing       // its host answers, but nothing listens
	Silent         // nothing answers at all
)

// SetServer changes how an endpoint, or the controller (ControllerLabel), behaves; false if
// there is none with that label. Up heals it.
func (w *World) SetServer(label string, s State) bool {
	if _, ok := w.endIdx[label]; !ok && label != ControllerLabel {
		return false
	}
	w.sleep(label, s)
	return true
}

// HasEndpoint reports whether the model has an endpoint with that label.
func (w *World) HasEndpoint(label string) bool {
	_, ok := w.endIdx[label]
	return ok
}

// SetOutside lets a network reach the outside or not, whatever its model says.
func (w *World) SetOutside(network string, reachable bool) bool {
	i, ok := w.netIdx[network]
	if ok {
		w.nets[i].outside = reachable
	}
	return ok
}

// SetDHCP turns the DHCP servers and router advertisements of a network off and on again.
// Leases stay known.
func (w *World) SetDHCP(network string, on bool) bool {
	i, ok := w.netIdx[network]
	if ok {
		w.nets[i].mute = !on
	}
	return ok
}

// pageServer is an HTTP server of the model as an origin.
func pageServer(s *HTTPServer) *Origin {
	o := &Origin{Label: s.Label, Owner: s.Label}
	if s.HTTPPort != 0 {
		o.Ports = append(o.Ports, ListenPort{s.HTTPPort, false})
	}
	if s.HTTPSPort != 0 {
		o.Ports = append(o.Ports, ListenPort{s.HTTPSPort, true})
		if a, err := ParseAuthority(s.CertPEM, s.KeyPEM); err == nil { // Check saw to it
			o.Chain = a.Chain()
		}
	}
	o.Serve = func(_ time.Time, r *Request) *Response {
		p := r.URL.Path
		if p == "" {
			p = "/"
		}
		page, ok := s.Paths[p]
		if !ok {
			return notFound()
		}
		return Content(r, textBlob(page.ContentType, page.Content))
	}
	return o
}

// bootServer is a netboot server's HTTP half: it fetches an artifact when it is asked for it.
func (w *World) bootServer(s *NetbootServer) *Origin {
	o := &Origin{Label: s.Label, Ports: []ListenPort{{80, false}}}
	o.Serve = func(now time.Time, r *Request) *Response {
		for _, a := range s.HTTP {
			if path.Join("/", a.Filename) != path.Clean("/"+r.URL.Path) {
				continue
			}
			u, err := url.Parse(a.URL)
			if err != nil {
				break // Check saw to it
			}
			resp, took, _, bad := w.fetch(now, w.end(s.Label),
				&Request{Method: r.Method, URL: u, Header: r.Header})
			if bad != nil {
				return &Response{Status: http.StatusBadGateway, Think: took}
			}
			slow := *resp
			slow.Think += took
			return &slow
		}
		return notFound()
	}
	return o
}
