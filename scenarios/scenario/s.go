package scenario

import (
	"fmt"
	"time"

	"github.com/onsi/gomega/types"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// Host is what a scenario runs on.
type Host interface {
	Name() string
	// Site is the outside; with does f while nobody else uses the controller.
	Site() *twin.Site
	With(f func(c *controllersim.Controller))
	// Device makes a device; it is off.
	Device(o twin.DeviceOptions) (Machine, error)
	// Now is the time since the scenario began.
	Now() time.Duration
	// Until waits until cond holds, at most until limit; it reports whether it does.
	Until(cond func() bool, limit time.Duration) bool
	// Publish puts the bundled web application into the registry.
	Publish(repository, tag string) error
	// Turns and Trace are of all devices together; Trace is empty in real time.
	Turns() uint64
	Trace() string
}

// Machine is a device on a host.
type Machine interface {
	Boot() error
	// Read does f with the running boot, nil while the device is off.
	Read(f func(k *host.Kernel))
	Kernel() *host.Kernel
	// Cut and Plug pull a cable and put it in, by the name of the interface.
	Cut(ifname string) error
	Plug(ifname string) error
	// PowerCut takes the power away and gives it back after off.
	PowerCut(off time.Duration)
	// Crash ends an agent as if its process died.
	Crash(agent string)
	// Answers reports whether an application answers over HTTP on a mapped port.
	Answers(app string, port uint16) bool
	// Guests counts the guests of an application that run.
	Guests(app string) int
	// Twin is the device's model, nil where there is none.
	Twin() *twin.Device
}

// Tables is a machine whose rows are read from outside of its process.
type Tables interface {
	// Row is a row as JSON, nil if there is none; Keys are those of a topic, in order.
	Row(d *bus.Decl, key string) []byte
	Keys(d *bus.Decl) []string
	// Agents are those that run.
	Agents() []string
	// All does f with each row of each topic, "owner/Name", in order.
	All(f func(topic, key string, row []byte))
}

// Real is a machine of real parts. It can be broken from outside, as anybody can break a device.
type Real interface {
	// Processes are those of the device that are started again when they end; Restarts is how often
	// one was, and ok is false while it does not run.
	Processes() []string
	Restarts(process string) (n int, ok bool)
	// Kill ends a process with SIGKILL.
	Kill(process string) error
	// Break breaks a thing of the device: one of Breakables. Mended reports whether it is as before.
	Break(thing string) error
	Mended(thing string) bool
	// Get asks an application over HTTP behind a mapped port.
	Get(port uint16) ([]byte, error)
	// Open opens a flow to an application behind a mapped port; Peer is who opens flows.
	Open(port uint16) (Flow, error)
	Peer() string
}

// Flow is an open connection to an application.
type Flow interface {
	// Ask asks once more on the same connection; an error says that no answer came.
	Ask() error
	Close() error
}

// Things of a device that Real.Break can break.
const (
	Rules     = "rules"     // the tables of nftables are deleted
	Bridge    = "bridge"    // the bridge of the application's network is deleted
	Dnsmasq   = "dnsmasq"   // the server of names and addresses is killed
	Libvirtd  = "libvirtd"  // the daemon that has the guests is killed
	Resolving = "resolving" // the file of the name service is removed
)

// Breakables are the things that Real.Break can break.
func Breakables() []string { return []string{Rules, Bridge, Dnsmasq, Libvirtd, Resolving} }

// S is a scenario under way.
type S struct {
	host    Host
	sc      *Scenario
	devices []*D
	seed    uint64
}

// Site is the outside: controller and datastores.
func (s *S) Site() *twin.Site { return s.host.Site() }

// Host is the name of the host the scenario runs on.
func (s *S) Host() string { return s.host.Name() }

// Now is the time since the scenario began.
func (s *S) Now() time.Duration { return s.host.Now() }

// Fail ends the scenario.
func (s *S) Fail(format string, args ...any) {
	panic(failure{fmt.Sprintf("at %v: ", s.host.Now().Round(time.Millisecond)) +
		fmt.Sprintf(format, args...)})
}

// Must ends the scenario if err is not nil.
func (s *S) Must(err error) {
	if err != nil {
		s.Fail("%v", err)
	}
}

// Controller does f with the controller.
func (s *S) Controller(f func(c *controllersim.Controller)) { s.host.With(f) }

// Fault has the controller misbehave until it is cleared by name.
func (s *S) Fault(f controllersim.Fault) {
	s.host.With(func(c *controllersim.Controller) { s.Must(c.SetFault(f)) })
}

// Heal ends a fault of the controller.
func (s *S) Heal(name string) {
	s.host.With(func(c *controllersim.Controller) { c.ClearFault(name) })
}

// Healed is the time of the run from which on no faults act any more, 0 if there are none.
func (s *S) Healed() time.Duration {
	if h, ok := s.host.(Storm); ok {
		return h.Healed()
	}
	return 0
}

// WaitUntil lets time pass until a time of the run.
func (s *S) WaitUntil(at time.Duration) { s.Wait(at - s.host.Now()) }

// Wait lets time pass.
func (s *S) Wait(d time.Duration) {
	end := s.host.Now() + d
	s.host.Until(func() bool { return s.host.Now() >= end }, end)
}

// Device makes a device of the site; it is off until it is booted or onboarded.
func (s *S) Device(name string, opts ...DeviceOption) *D {
	o := twin.DeviceOptions{Name: name}
	for _, f := range opts {
		f(&o)
	}
	m, err := s.host.Device(o)
	s.Must(err)
	d := &D{s: s, m: m, name: name}
	s.devices = append(s.devices, d)
	return d
}

// DeviceOption shapes a device.
type DeviceOption func(*twin.DeviceOptions)

// NICs gives a device n Ethernet ports, each on a network of its own with DHCP.
func NICs(n int) DeviceOption { return func(o *twin.DeviceOptions) { o.NICs = n } }

// Options changes any option of a device.
func Options(f func(*twin.DeviceOptions)) DeviceOption { return f }

// Cut pulls the cable of an interface.
func (s *S) Cut(d *D, ifname string) { s.Must(d.m.Cut(ifname)) }

// Plug puts the cable of an interface in.
func (s *S) Plug(d *D, ifname string) { s.Must(d.m.Plug(ifname)) }

// Assertion is something that is to become, or to stay, true.
type Assertion struct {
	s      *S
	actual func() any
	within time.Duration
	stay   bool
}

// Eventually asserts that what actual returns will match within some time.
func (s *S) Eventually(actual func() any, within time.Duration) Assertion {
	return Assertion{s, actual, within, false}
}

// Consistently asserts that what actual returns matches all the time for a while.
func (s *S) Consistently(actual func() any, during time.Duration) Assertion {
	return Assertion{s, actual, during, true}
}

// Should ends the scenario unless the matcher comes to match in time, or does not stop matching.
func (a Assertion) Should(m types.GomegaMatcher) { a.judge(m, true) }

// ShouldNot is Should of the opposite.
func (a Assertion) ShouldNot(m types.GomegaMatcher) { a.judge(m, false) }

func (a Assertion) judge(m types.GomegaMatcher, want bool) {
	var last any
	var broken error
	match := func() bool {
		last = a.actual()
		ok, err := m.Match(last)
		broken = err
		return err == nil && ok == want
	}
	limit := a.s.host.Now() + a.within
	if a.stay {
		if a.s.host.Until(func() bool { return !match() }, limit) {
			a.fail(m, want, last, broken, "stopped to hold")
		}
		return
	}
	if !a.s.host.Until(match, limit) {
		a.fail(m, want, last, broken, fmt.Sprintf("within %v", a.within))
	}
}

func (a Assertion) fail(m types.GomegaMatcher, want bool, last any, broken error, how string) {
	if broken != nil {
		a.s.Fail("%s: %v", how, broken)
	}
	text := m.FailureMessage(last)
	if !want {
		text = m.NegatedFailureMessage(last)
	}
	a.s.Fail("%s: %s", how, text)
}
