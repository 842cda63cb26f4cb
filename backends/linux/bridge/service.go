package bridge

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
	"github.com/vishvananda/netlink"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/linux/netpart"
)

const (
	starting  = 10 * time.Second // how long a dnsmasq may take to serve
	rereading = 2 * time.Second  // and to read its files again
	stopping  = time.Second
	calm      = 5 * time.Second // one that ended later is started again at once
	restWait  = 200 * time.Millisecond
	mostWait  = 30 * time.Second
)

// service is the dnsmasq of a bridge.
type service struct {
	bridge string
	dir    string
	index  int // of the bridge when it started
	told   conf
	run    *child.Process
	says   *child.Ear
	asked  *lookups // nil without a flow log
	since  time.Time
	wait   time.Duration // before it is started again
	leave  chan struct{} // closed when it is to end
}

// on reports whether it serves a bridge, or will again by itself.
func (s *service) on(l netlink.Link) bool {
	return s != nil && l != nil && s.index == l.Attrs().Index
}

// serves reports whether it runs.
func (s *service) serves() bool {
	if s.run == nil {
		return false
	}
	select {
	case <-s.run.Done():
		return false
	default:
		return true
	}
}

// serve has the service of a bridge be as its spec says. Where only hosts and names came, it is
// told; otherwise it is started anew, and keeps the leases that still hold.
func (m *machine) serve(bridge string) error {
	l, err := m.k.Find(bridge)
	if err != nil || l == nil {
		return errors.Join(err, netpart.Missing("there is no bridge "+bridge))
	}
	s := m.services[bridge]
	if s == nil {
		s = &service{bridge: bridge, dir: filepath.Join(m.o.State, "service."+bridge)}
		m.services[bridge] = s
	}
	want := m.conf(s.dir, bridge)
	if s.serves() && s.index == l.Attrs().Index && s.told.main == want.main {
		if s.told.equal(want) {
			return nil
		}
		if !s.told.drops(want) {
			return m.retell(s, want)
		}
	}
	if err := s.stop(); err != nil {
		return err
	}
	if err := s.prepare(want); err != nil {
		return err
	}
	s.index, s.wait = l.Attrs().Index, 0
	return m.start(s)
}

// retell has a dnsmasq read its hosts and names again, and waits until it has.
func (m *machine) retell(s *service, want conf) error {
	if err := s.write(want); err != nil {
		return err
	}
	read := s.says.Expect("read " + s.path(hostsFile))
	if err := s.run.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	s.told = want
	select {
	case <-read:
	case <-s.run.Done():
	case <-time.After(rereading):
		return fmt.Errorf("dnsmasq of %s does not read its hosts: %s", s.bridge, s.run.LastWords())
	}
	return m.k.Did(nil, "tell the dnsmasq of %s", s.bridge)
}

// start starts a dnsmasq and returns when it serves.
func (m *machine) start(s *service) error {
	s.says = &child.Ear{}
	ready := s.says.Expect("started, version")
	program := m.o.Dnsmasq
	if program == "" {
		program = "dnsmasq"
	}
	var ear io.Writer = s.says
	if m.spec("service/" + s.bridge).Service.FlowLog {
		if s.asked == nil {
			s.asked = &lookups{}
		}
		ear = io.MultiWriter(ear, s.asked.listen())
	} else {
		s.asked = nil
	}
	o := child.Options{Name: "dnsmasq of " + s.bridge, Path: program, Stderr: ear,
		Args: []string{"--keep-in-foreground", "--log-facility=-", "--conf-file=" + s.path(mainFile)}}
	if m.o.Space != "" {
		o.Args = append([]string{"netns", "exec", m.o.Space, o.Path}, o.Args...)
		o.Path = "ip"
	}
	p, err := child.Start(o)
	if err != nil {
		return err
	}
	limit := time.NewTimer(starting)
	defer limit.Stop()
	select {
	case <-ready:
	case <-p.Done():
		return fmt.Errorf("start the dnsmasq of %s: %w", s.bridge, errors.Join(p.Err(),
			errors.New("it ended")))
	case <-limit.C:
		return errors.Join(fmt.Errorf("the dnsmasq of %s does not start: %s", s.bridge,
			p.LastWords()), p.Kill())
	}
	s.run, s.since, s.leave = p, time.Now(), make(chan struct{})
	leave := s.leave
	m.Work.Go(func() { m.tend(s, p, leave) })
	return m.k.Did(nil, "start the dnsmasq of %s", s.bridge)
}

// tend waits for the end of a dnsmasq, shows it, and starts it again.
func (m *machine) tend(s *service, p *child.Process, leave chan struct{}) {
	select {
	case <-p.Done():
	case <-leave:
		return
	}
	m.Changed(func() error { return nil })
	m.Report(fmt.Errorf("the dnsmasq of %s ended: %w", s.bridge, errors.Join(p.Err())))
	for {
		m.Lock()
		if time.Since(s.since) > calm {
			s.wait = 0
		}
		wait := s.wait
		s.wait = min(max(2*s.wait, restWait), mostWait)
		m.Unlock()
		select {
		case <-time.After(wait):
		case <-leave:
			return
		}
		again := false
		m.Changed(func() error {
			if s.run != p {
				return nil
			}
			select {
			case <-leave:
				return nil
			default:
			}
			err := m.start(s)
			again = err != nil
			return err
		})
		if !again {
			return
		}
	}
}

// stop ends a dnsmasq; one that does not run is a success.
func (s *service) stop() error {
	if s.run == nil {
		return nil
	}
	p := s.run
	s.run = nil
	close(s.leave)
	if err := p.Stop(stopping); err != nil && p.Err() == nil {
		return fmt.Errorf("stop the dnsmasq of %s: %w", s.bridge, err)
	}
	return nil
}

// silence ends the service of a bridge for good.
func (m *machine) silence(bridge string) error {
	s := m.services[bridge]
	if s == nil {
		s = &service{bridge: bridge, dir: filepath.Join(m.o.State, "service."+bridge)}
	}
	if err := s.stop(); err != nil {
		return err
	}
	delete(m.services, bridge)
	return m.k.Did(os.RemoveAll(s.dir), "remove what the dnsmasq of %s was told", bridge)
}

func (s *service) path(file string) string { return filepath.Join(s.dir, file) }

// prepare writes all that a dnsmasq reads when it starts. Leases that stand in the way of a
// reservation are forgotten.
func (s *service) prepare(want conf) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("prepare the dnsmasq of %s: %w", s.bridge, err)
	}
	leases, err := os.ReadFile(s.path(leaseFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read leases: %w", err)
	}
	if err := replace(s.path(leaseFile), want.keep(leases, s.told)); err != nil {
		return err
	}
	if err := replace(s.path(mainFile), []byte(want.main)); err != nil {
		return err
	}
	return s.write(want)
}

// write writes hosts and names.
func (s *service) write(want conf) error {
	if err := replace(s.path(hostsFile), []byte(want.hosts)); err != nil {
		return err
	}
	if err := replace(s.path(namesFile), []byte(want.names)); err != nil {
		return err
	}
	s.told = want
	return nil
}

// replace replaces a file.
func replace(path string, text []byte) error {
	if err := renameio.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
