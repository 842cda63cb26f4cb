package farm

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/renameio/v2"
	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/sys/unix"
)

const (
	// maxStore bounds what an embedded server keeps on disk, in bytes.
	maxStore = 16 << 30
	// startLimit is how long an embedded server may take to start, or to stop.
	startLimit = 10 * time.Second
)

// Server is a NATS server in this process.
type Server struct {
	place Place
	nats  *server.Server
	lock  *os.File
	gone  string // folder that goes with the server
}

// Embed starts a server at a place. dir is where it keeps its streams; one that is started there
// again goes on with them. Empty means a folder that goes when the server is closed.
func Embed(p *Place, dir string) (*Server, error) {
	s := &Server{place: *p}
	if err := s.start(dir); err != nil {
		s.Close()
		return nil, fmt.Errorf("start the server of the farm at %s: %w", p, err)
	}
	return s, nil
}

func (s *Server) start(dir string) error {
	var err error
	if dir == "" {
		if dir, err = os.MkdirTemp("", "evetwin-farm-"); err != nil {
			return err
		}
		s.gone = dir
	}
	if err := s.own(dir); err != nil {
		return err
	}
	if err := s.credentials(dir); err != nil {
		return err
	}
	// The server itself would only log that it cannot listen.
	ln, err := net.Listen("tcp", net.JoinHostPort(s.place.Host, strconv.Itoa(s.place.Port)))
	if err != nil {
		return err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	if err := ln.Close(); err != nil {
		return err
	}
	s.place.Port = port
	n, err := server.NewServer(&server.Options{ServerName: "evetwin-farm", Host: s.place.Host,
		Port: port, Authorization: s.place.Token, Username: s.place.User, Password: s.place.Password,
		JetStream: true, StoreDir: dir, JetStreamMaxStore: maxStore, JetStreamMaxMemory: 64 << 20,
		NoSigs: true, NoLog: true, MaxPayload: maxPayload, DisableJetStreamBanner: true})
	if err != nil {
		return err
	}
	s.nats = n
	n.Start()
	if !n.ReadyForConnections(startLimit) {
		return fmt.Errorf("it does not answer after %v", startLimit)
	}
	return nil
}

// own takes the folder for this process.
func (s *Server) own(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "owner"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	s.lock = f
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("another process has its server in %s", dir)
	}
	return nil
}

// credentials draws a token if none was given; in a folder that stays it is kept, so that workers
// find their way back.
func (s *Server) credentials(dir string) error {
	if s.place.Token != "" || s.place.User != "" {
		return nil
	}
	file := filepath.Join(dir, "token")
	b, err := os.ReadFile(file)
	switch {
	case err == nil && len(b) > 0:
		s.place.Token = string(b)
		return nil
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	s.place.Token = rand.Text()
	return renameio.WriteFile(file, []byte(s.place.Token), 0o600)
}

// URL is what a worker on host connects to, credentials included; empty means the address that the
// server listens at.
func (s *Server) URL(host string) string {
	if host == "" {
		host = s.place.Host
	}
	u := url.URL{Scheme: "nats", Host: net.JoinHostPort(host, strconv.Itoa(s.place.Port)),
		User: url.User(s.place.Token)}
	if s.place.User != "" {
		u.User = url.UserPassword(s.place.User, s.place.Password)
	}
	return u.String()
}

// Hosts are the addresses at which other machines may reach the server, this machine's if it
// listens at all of them.
func (s *Server) Hosts() []string {
	ip := net.ParseIP(s.place.Host)
	if ip == nil || !ip.IsUnspecified() {
		return []string{s.place.Host}
	}
	var out []string
	list, err := net.InterfaceAddrs()
	if err != nil {
		return []string{"HOST"}
	}
	for _, a := range list {
		n, ok := a.(*net.IPNet)
		if ok && n.IP.IsGlobalUnicast() {
			out = append(out, n.IP.String())
		}
	}
	if len(out) == 0 {
		out = []string{"127.0.0.1"}
	}
	return out
}

// Close stops the server.
func (s *Server) Close() {
	if s.nats != nil {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	}
	if s.lock != nil {
		_ = s.lock.Close()
	}
	if s.gone != "" {
		_ = os.RemoveAll(s.gone)
	}
}
