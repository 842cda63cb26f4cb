package netlab

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

// Server says what a dnsmasq serves on one link: addresses by DHCP, names by DNS.
type Server struct {
	// Link is the interface in the server's namespace; it is up and has an address.
	Link string
	// Range is the first and the last IPv4 address, "10.99.0.50,10.99.0.60"; empty: no DHCP.
	Range string
	// Lease is for how long, "1h" if empty; dnsmasq gives at least two minutes.
	Lease string
	// Options are more DHCP options as dnsmasq writes them, "6,10.99.0.1" or "option:mtu,1400".
	Options []string
	// Hosts are names and their addresses as dnsmasq writes them, "edge.example,10.99.0.9".
	Hosts []string
	// Args are more arguments of dnsmasq, "--enable-ra".
	Args []string
}

// Served is a dnsmasq that was started for a test.
type Served struct {
	space *Space
	what  Server
	dir   string
	run   *child.Process
}

// starting is how long a dnsmasq may take to start.
const starting = 10 * time.Second

// Serve starts a dnsmasq and returns when it serves. It forgets its leases when it stops for good,
// not over Stop, Kill and Start.
func (s *Space) Serve(what Server) *Served {
	s.t.Helper()
	labtest.Program(s.t, "dnsmasq")
	d := &Served{space: s, what: what, dir: s.t.TempDir()}
	d.Start()
	s.t.Cleanup(d.Stop)
	return d
}

// Change makes it serve something else: it is stopped, and started again with what it is to serve.
func (d *Served) Change(what Server) {
	d.space.t.Helper()
	d.Stop()
	d.what = what
	d.Start()
}

// Start starts it again; one that runs is left alone.
func (d *Served) Start() {
	t := d.space.t
	t.Helper()
	if d.run != nil {
		return
	}
	w := d.what
	args := []string{"--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-",
		"--pid-file", "--user=root", "--no-ping", "--no-resolv", "--no-hosts", "--bind-interfaces",
		"--except-interface=lo", "--interface=" + w.Link, "--dhcp-authoritative",
		"--dhcp-leasefile=" + filepath.Join(d.dir, "leases")}
	if w.Range != "" {
		lease := w.Lease
		if lease == "" {
			lease = "1h"
		}
		args = append(args, "--dhcp-range="+w.Range+","+lease)
	}
	for _, o := range w.Options {
		args = append(args, "--dhcp-option="+o)
	}
	for _, h := range w.Hosts {
		args = append(args, "--host-record="+h)
	}
	says := &child.Ear{}
	started := says.Expect("started, version")
	p, err := child.Start(d.space.Inside(child.Options{Name: "dnsmasq " + w.Link, Path: "dnsmasq",
		Args: append(args, w.Args...), Stderr: says}))
	if err != nil {
		t.Fatal(err)
	}
	limit := time.NewTimer(starting)
	defer limit.Stop()
	select {
	case <-started:
	case <-p.Done():
		t.Fatalf("dnsmasq on %s ended: %v", w.Link, p.Err())
	case <-limit.C:
		_ = p.Kill()
		t.Fatalf("dnsmasq on %s does not start: %s", w.Link, p.LastWords())
	}
	d.run = p
}

// Stop stops it with manners; one that does not run is a success.
func (d *Served) Stop() { d.end(func(p *child.Process) error { return p.Stop(time.Second) }) }

// Kill ends it with SIGKILL.
func (d *Served) Kill() { d.end((*child.Process).Kill) }

// Leases is the file in which it keeps its leases.
func (d *Served) Leases() string { return filepath.Join(d.dir, "leases") }

func (d *Served) end(how func(*child.Process) error) {
	if d.run == nil {
		return
	}
	if err := how(d.run); err != nil {
		d.space.t.Error(err)
	}
	d.run = nil
}

// Untouched returns a check, for the end of a test, that the machine has the same namespaces and
// links as now, and that no child of this process is left.
func Untouched(t testing.TB) func() {
	t.Helper()
	before := machine(t)
	return func() {
		t.Helper()
		if now := machine(t); now != before {
			t.Errorf("the machine is not what it was before:\n%s\nnow:\n%s", before, now)
		}
		if left := labtest.Offspring(); len(left) > 0 {
			t.Errorf("left behind: %s", fmt.Sprint(left))
		}
	}
}
