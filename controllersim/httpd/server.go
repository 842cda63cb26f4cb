package httpd

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/controllersim/store"
)

// Options say how a controller is served.
type Options struct {
	// Listen is the address for devices, default 127.0.0.1:0.
	Listen string
	// Admin is the address of the admin interface, default 127.0.0.1:0. It must be a loopback
	// address unless AdminTLS is set.
	Admin string
	// AdminTLS serves the admin interface with the controller's TLS certificate.
	AdminTLS bool
	// TokenFile is where the token of the admin interface is written.
	TokenFile string
	// Hosts are further names and addresses of the TLS certificate.
	Hosts []string
	// Store keeps the fleet over restarts; nil for one that is forgotten.
	Store store.Store
	// ReportsEvery is how long reports may stay unsaved, default 30 s. What devices and people
	// change is saved before it is answered.
	ReportsEvery time.Duration
	// Fleet bounds what is kept.
	Fleet fleet.Options
	// Now is the clock, default time.Now.
	Now func() time.Time
}

// Server is a controller on the network.
type Server struct {
	opts       Options
	seed       []byte
	url, admin string
	token      string

	mu         sync.Mutex // guards the controller, which is made for one goroutine
	controller *controllersim.Controller

	servers  []*http.Server
	changes  changes
	saver    *saver
	stopping context.Context // done once streams and delays are to end
	stop     context.CancelFunc
	unsaver  context.CancelFunc
	wait     sync.WaitGroup
}

// Start makes a controller, with what the store holds of it, and serves it until Close.
func Start(o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Admin == "" {
		o.Admin = "127.0.0.1:0"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ReportsEvery <= 0 {
		o.ReportsEvery = 30 * time.Second
	}
	s := &Server{opts: o, unsaver: func() {}}
	s.stopping, s.stop = context.WithCancel(context.Background())
	if err := s.load(); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.Close(context.Background()))
	}
	return s, nil
}

// load makes the controller of what is stored, or a new one.
func (s *Server) load() error {
	o := controllersim.Options{Hosts: s.opts.Hosts}
	if host, _, err := net.SplitHostPort(s.opts.Listen); err == nil {
		if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
			o.Hosts = append(o.Hosts, host)
		}
	}
	var kept store.State
	err := store.ErrEmpty
	if s.opts.Store != nil {
		kept, err = s.opts.Store.Load()
	}
	switch {
	case errors.Is(err, store.ErrEmpty):
		o.Seed = make([]byte, 32)
		rand.Read(o.Seed)
		s.opts.Fleet.Seed = fmt.Sprintf("%x", o.Seed)
		o.Fleet = fleet.New(s.opts.Fleet)
	case err != nil:
		return fmt.Errorf("start controller: %w", err)
	default:
		o.Seed, o.Generation = kept.Seed, kept.Generation
		s.opts.Fleet.Seed = fmt.Sprintf("%x", o.Seed)
		if o.Fleet, err = fleet.Restore(s.opts.Fleet, kept.Fleet); err != nil {
			return fmt.Errorf("start controller: %w", err)
		}
	}
	s.seed = o.Seed
	if s.controller, err = controllersim.New(o); err != nil {
		return fmt.Errorf("start controller: %w", err)
	}
	o.Fleet.Watch(s.changes.tell)
	if s.opts.Store == nil {
		return nil
	}
	state, _ := s.state()
	if err := s.opts.Store.Save(state); err != nil {
		return fmt.Errorf("start controller: %w", err)
	}
	s.saver = newSaver(s.opts.Store, s.state)
	s.saver.saved = o.Fleet.Revision()
	o.Fleet.Watch(func(device string) {
		s.changes.tell(device)
		s.saver.dirty.Store(true)
	})
	var ctx context.Context
	ctx, s.unsaver = context.WithCancel(context.Background())
	s.wait.Go(func() { s.saver.run(ctx, s.opts.ReportsEvery) })
	return nil
}

// state is what is to be saved, and the revision it shows.
func (s *Server) state() (store.State, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.controller.Fleet()
	return store.State{
		Seed: s.seed, Generation: s.controller.Generation(), Fleet: f.Snapshot(),
	}, f.Revision()
}

func (s *Server) listen() error {
	if err := s.writeToken(); err != nil {
		return err
	}
	devices, err := net.Listen("tcp", s.opts.Listen)
	if err != nil {
		return fmt.Errorf("listen for devices: %w", err)
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.controller.TLSCertificate()},
	}
	s.url = "https://" + devices.Addr().String()
	s.serve(tls.NewListener(devices, config), http.HandlerFunc(s.serveDevice))
	if !s.opts.AdminTLS && !loopback(s.opts.Admin) {
		return fmt.Errorf("listen for the admin interface on %s: without TLS only on loopback",
			s.opts.Admin)
	}
	admin, err := net.Listen("tcp", s.opts.Admin)
	if err != nil {
		return fmt.Errorf("listen for the admin interface: %w", err)
	}
	s.admin = "http://" + admin.Addr().String()
	if s.opts.AdminTLS {
		s.admin = "https://" + admin.Addr().String()
		admin = tls.NewListener(admin, config.Clone())
	}
	s.serve(admin, s.adminHandler())
	return nil
}

// loopback tells whether an address to listen on is reached from this machine alone.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *Server) serve(l net.Listener, h http.Handler) {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.servers = append(s.servers, srv)
	s.wait.Go(func() { _ = srv.Serve(l) }) // ends with ErrServerClosed, which says nothing
}

// URL is the controller's address for devices: "https://host:port".
func (s *Server) URL() string { return s.url }

// AdminURL is the address of the admin interface.
func (s *Server) AdminURL() string { return s.admin }

// Token is the token of the admin interface.
func (s *Server) Token() string { return s.token }

// Do runs f with the controller, which no request uses meanwhile. What f changes is saved before Do
// returns.
func (s *Server) Do(f func(*controllersim.Controller)) error {
	s.mu.Lock()
	before := s.controller.Generation()
	f(s.controller)
	revision := s.controller.Fleet().Revision()
	rotated := s.controller.Generation() != before
	s.mu.Unlock()
	if s.saver == nil {
		return nil
	}
	if rotated {
		return s.saver.now()
	}
	return s.saver.flush(revision)
}

// Close stops: open requests are finished as long as ctx allows, streams end at once, the fleet is
// saved, the token file removed.
func (s *Server) Close(ctx context.Context) error {
	s.stop()
	var errs []error
	for _, srv := range s.servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, err, srv.Close())
		}
	}
	s.unsaver()
	s.wait.Wait()
	if s.saver != nil {
		state, _ := s.state()
		errs = append(errs, s.opts.Store.Save(state))
	}
	if s.token != "" {
		errs = append(errs, os.Remove(s.opts.TokenFile))
		s.token = ""
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop controller: %w", err)
	}
	return nil
}
