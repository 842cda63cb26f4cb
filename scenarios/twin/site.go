package twin

import (
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/data"
)

// Server is the controller's name, as /config/server has it.
const Server = world.DefaultController

// SiteOptions of a site.
type SiteOptions struct {
	Seed uint64
	// Secret replaces the keys that derive from Seed, for controllers of real time.
	Secret []byte
	// Controller takes the place of one that is made.
	Controller *controllersim.Controller
	// Memory knows signatures by heart; nil does not.
	Memory *Memory
	// Hosts are further names and addresses of the controller's certificate.
	Hosts []string
}

// Site is the outside: a controller, and datastores that hold what they were given and make the
// rest up.
type Site struct {
	Controller *controllersim.Controller
	memory     *Memory

	// Traffic counts what the controller did for devices.
	Traffic Traffic
	// Real hosts are served outside of the model, which only says whether they are reached.
	Real map[string]bool
	// Skew is how far the controller's clock is ahead.
	Skew time.Duration
	// After calls back after a while, with what the clock says then. Without it no request that a
	// fault of the controller holds back ever arrives.
	After func(d time.Duration, f func(now time.Time))

	mu     sync.Mutex
	public *world.Authority
	stores map[string]*data.Store
	ports  map[string][]world.ListenPort
	asked  map[string]*Requests
	order  []string
	chains map[string][][]byte
	root   [][]byte
	drops  map[string][]int64
}

// NewSite makes a site.
func NewSite(o SiteOptions) (*Site, error) {
	s := &Site{Controller: o.Controller, memory: o.Memory, stores: map[string]*data.Store{},
		asked: map[string]*Requests{}, chains: map[string][][]byte{}}
	if s.Controller == nil {
		secret := o.Secret
		if secret == nil {
			secret = binary.BigEndian.AppendUint64([]byte("evetwin site"), o.Seed)
		}
		c, err := controllersim.New(controllersim.Options{Seed: secret, Verify: o.Memory.verifier(),
			Like: o.Memory.like(), Hosts: append([]string{Server}, o.Hosts...)})
		if err != nil {
			return nil, fmt.Errorf("make site: %w", err)
		}
		s.Controller = c
		o.Memory.made(c)
	}
	ca, err := world.DeriveAuthority("evetwin public roots", time.Unix(0, 0).UTC(),
		time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return nil, fmt.Errorf("make site: %w", err)
	}
	s.public = ca
	cert := s.Controller.TLSCertificate()
	s.root = cert.Certificate
	return s, nil
}

// Roots are the roots that a device's system trusts, in PEM.
func (s *Site) Roots() []string { return []string{s.public.CertPEM()} }

// Public signs the certificates of the outside.
func (s *Site) Public() *world.Authority { return s.public }

// ConfigFiles are the files of /config of a device that belongs to the site.
func (s *Site) ConfigFiles(softSerial string) (map[string][]byte, error) {
	cert, key, err := s.Controller.OnboardPEM()
	if err != nil {
		return nil, fmt.Errorf("make onboarding identity: %w", err)
	}
	return map[string][]byte{"server": []byte(Server + "\n"),
		"root-certificate.pem": s.Controller.RootPEM(), "onboard.cert.pem": cert,
		"onboard.key.pem": key, "soft_serial": []byte(softSerial)}, nil
}

// Origin is the controller as a server of a world.
func (s *Site) Origin() *world.Origin {
	return &world.Origin{Label: "controller", Names: []string{Server}, Chain: s.root,
		Owner: "controller", Ports: []world.ListenPort{{Number: 443, TLS: true}},
		Serve: func(now time.Time, r *world.Request) *world.Response {
			if s.Real[Server] {
				return &world.Response{Status: http.StatusOK}
			}
			a := s.handle(now, r)
			return &world.Response{Status: a.Code, Header: a.Header, Body: a.Body, Think: a.Delay,
				Drop: a.Broken, Sent: int64(len(a.Body) / 2)}
		}}
}

// Traffic counts exchanges with the controller: how many bodies of devices it let in, after it
// verified their signatures, and how many answers it signed, each of which the device verifies.
type Traffic struct{ Exchanges, Verified, Answered uint64 }

// handle has the controller answer; devices of real time may ask side by side.
func (s *Site) handle(now time.Time, r *world.Request) controllersim.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	req := controllersim.Request{Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: r.Body,
		ClientIP: r.Remote.String()}
	a := s.Controller.Handle(now.Add(s.Skew), req)
	if a.Again > 0 && s.After != nil {
		req.Late = true
		s.After(a.Again, func(now time.Time) {
			s.With(func() { s.Controller.Handle(now.Add(s.Skew), req) })
		})
	}
	s.Traffic.Exchanges++
	if r.Method == http.MethodPost && a.Code < http.StatusBadRequest {
		s.Traffic.Verified++
	}
	if len(a.Body) > 0 {
		s.Traffic.Answered++
	}
	return a
}

// Store is the datastore of a host of the outside, made when first asked for.
func (s *Site) Store(host string) *data.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.stores[host]; st != nil {
		return st
	}
	st := data.New(data.Options{Host: host, MakeUp: true, Pretend: true})
	s.stores[host] = st
	s.order = append(s.order, host)
	return st
}

// Made lists what the datastores made up.
func (s *Site) Made() []data.Made {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []data.Made
	for _, h := range s.order {
		out = append(out, s.stores[h].Made()...)
	}
	return out
}

// Outside is the server of a host of the outside: a datastore that makes up what it does not hold.
// What is known to exist without it greets whoever asks for "/".
func (s *Site) Outside(host string) *world.Origin {
	greets := world.KnownOutside(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	chain, ok := s.chains[host]
	if !ok {
		if c, err := s.public.Issue(host); err == nil {
			chain = c
		}
		s.chains[host] = chain
	}
	ports := []world.ListenPort{{Number: 80}, {Number: 443, TLS: true}, {Number: 5000},
		{Number: 8080}, {Number: 8888}}
	return &world.Origin{Label: host, Names: []string{host}, Chain: chain, Owner: host,
		Ports: append(s.ports[host][:len(s.ports[host]):len(s.ports[host])], ports...),
		Serve: func(now time.Time, r *world.Request) *world.Response {
			if s.Real[host] {
				return &world.Response{Status: http.StatusOK}
			}
			if path := r.URL.Path; greets && (path == "" || path == "/") {
				return &world.Response{Status: http.StatusOK}
			}
			a := s.Store(host).Handle(data.Request{Method: r.Method, Path: r.URL.Path, Header: r.Header,
				Now: now})
			s.count(host, r, a)
			x := &world.Response{Status: a.Code, Header: a.Header, Body: a.Body, Size: bodySize(r, a)}
			x.Sent, x.Drop = s.drop(host, r)
			return x
		}}
}

// Listen has the server of a host of the outside listen on a further port, or on a usual one in
// another way.
func (s *Site) Listen(host string, port uint16, tls bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ports == nil {
		s.ports = map[string][]world.ListenPort{}
	}
	s.ports[host] = append(s.ports[host], world.ListenPort{Number: port, TLS: tls})
}

// Requests counts what a server was asked for.
type Requests struct {
	// Whole counts the requests that began at the first byte, Rest those that went on from another.
	Whole, Rest int
}

// Requests is what a path of a host of the outside was asked for.
func (s *Site) Requests(host, path string) Requests {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.asked[host+path]; q != nil {
		return *q
	}
	return Requests{}
}

func (s *Site) count(host string, r *world.Request, a data.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.asked[host+r.URL.Path]
	if q == nil {
		q = &Requests{}
		s.asked[host+r.URL.Path] = q
	}
	if r.Method == http.MethodGet && a.Code == http.StatusOK {
		q.Whole++
	}
	if r.Method == http.MethodGet && a.Code == http.StatusPartialContent {
		q.Rest++
	}
}

// Drop has the server of a host end the connections of the next requests for a path when so many
// bytes of the body have gone out, one number for each request.
func (s *Site) Drop(host, path string, after ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drops == nil {
		s.drops = map[string][]int64{}
	}
	s.drops[host+path] = append(s.drops[host+path], after...)
}

func (s *Site) drop(host string, r *world.Request) (after int64, ends bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.drops[host+r.URL.Path]
	if len(list) == 0 || r.Method != http.MethodGet {
		return 0, false
	}
	s.drops[host+r.URL.Path] = list[1:]
	return list[0], true
}

func bodySize(r *world.Request, a data.Response) int64 {
	if r.Method == http.MethodHead {
		return 0
	}
	return int64(len(a.Body))
}

// PublicPool is the roots as a pool, for clients of real time.
func (s *Site) PublicPool() *x509.CertPool {
	p := x509.NewCertPool()
	b, _ := pem.Decode([]byte(s.public.CertPEM()))
	if c, err := x509.ParseCertificate(b.Bytes); err == nil {
		p.AddCert(c)
	}
	return p
}

// With does f while no device talks to the controller.
func (s *Site) With(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}
