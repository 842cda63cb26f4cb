package scenario

import (
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
	"time"
)

// Scenario is a behaviour as a function.
type Scenario struct {
	Name string
	// Covers are the numbered behaviours that fail with it, at most three.
	Covers []string
	// Hosts are the hosts it runs on.
	Hosts []string
	// Needs are the real parts it needs on hosts of real time: "qemu".
	Needs []string
	// Slow says that it takes a second or more in virtual time, so that tests run it for one seed.
	Slow bool
	// Faults says that it may run under faults, which all act within Span from its beginning.
	Faults bool
	Span   time.Duration
	// Exhausts says that over many seeds every rule of core/check has something to judge in it.
	Exhausts bool
	// Parts are what it can do without, by name.
	Parts   []string
	without []string
	run     func(*S)
}

// Option of a scenario.
type Option func(*Scenario)

// Covers names the behaviours a scenario stands for.
func Covers(ids ...string) Option { return func(s *Scenario) { s.Covers = ids } }

// On names the hosts a scenario runs on; the default is "virtual" alone.
func On(hosts ...string) Option { return func(s *Scenario) { s.Hosts = hosts } }

// Needs names real parts that a scenario needs in real time.
func Needs(parts ...string) Option { return func(s *Scenario) { s.Needs = parts } }

// Slow says that a scenario takes a second or more in virtual time.
func Slow() Option { return func(s *Scenario) { s.Slow = true } }

// UnderFaults says that a scenario may run while faults act within a span of time from its
// beginning: what it does in that time it does whatever state the device is in.
func UnderFaults(span time.Duration) Option {
	return func(s *Scenario) { s.Faults, s.Span = true, span }
}

// Exhausts says that over many seeds every rule of core/check has something to judge: a rule that
// has nothing fails whoever explores the scenario.
func Exhausts() Option { return func(s *Scenario) { s.Exhausts = true } }

var nameForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// New makes a scenario. It panics if its name is no lower-case-with-dashes name or it covers more
// than three behaviours: whoever breaks one must see which.
func New(name string, run func(*S), opts ...Option) *Scenario {
	s := &Scenario{Name: name, run: run, Hosts: []string{Virtual}}
	for _, o := range opts {
		o(s)
	}
	if !nameForm.MatchString(name) || len(s.Covers) > 3 {
		panic("scenario: " + name + " has no proper name or covers more than three behaviours")
	}
	return s
}

// Names of hosts.
const (
	Virtual = "virtual"
	Live    = "live"
	Linux   = "linux"
)

// RunsOn reports whether the scenario runs on a host.
func (sc *Scenario) RunsOn(host string) bool {
	for _, h := range sc.Hosts {
		if h == host {
			return true
		}
	}
	return false
}

// Result is how a run went; its JSON is the contract of "evetwin run".
type Result struct {
	Name     string  `json:"name"`
	Host     string  `json:"host"`
	Seed     uint64  `json:"seed"`
	OK       bool    `json:"ok"`
	Error    string  `json:"error,omitempty"`
	Skipped  string  `json:"skipped,omitempty"`
	VirtualS float64 `json:"virtual_s"`
	WallS    float64 `json:"wall_s"`
	Trace    string  `json:"trace,omitempty"`
	Turns    uint64  `json:"turns"`
	// Causes are the last turns before a failure, for people.
	Causes string `json:"-"`
	// State is what devices and controller hold at the end, but for times and counters.
	State string `json:"-"`
}

// failure ends a scenario; it is not a panic of ours.
type failure struct{ text string }

// Stop ends the scenario under way, from a host that cannot go on.
func Stop(format string, args ...any) { panic(failure{fmt.Sprintf(format, args...)}) }

// Run carries a scenario out on a host that was made for it.
func (sc *Scenario) Run(h Host, seed uint64) (r Result) {
	r = Result{Name: sc.Name, Host: h.Name(), Seed: seed}
	s := &S{host: h, sc: sc, seed: seed}
	defer func() {
		if x := recover(); x != nil {
			if x == any(over{}) {
				r.State = s.state()
			} else if f, ok := x.(failure); ok {
				r.Error = f.text
			} else {
				r.Error = fmt.Sprintf("panic: %v", x)
				r.Causes = string(debug.Stack())
			}
		}
		if r.Error != "" {
			r.Causes += s.causes()
		}
		r.OK = r.Error == ""
		r.VirtualS = h.Now().Seconds()
		r.Turns, r.Trace = h.Turns(), h.Trace()
	}()
	sc.run(s)
	r.State = s.state()
	return r
}

// Told is a host whose devices write a log of their own.
type Told interface {
	// Told is the end of the log, for people.
	Told() string
}

// causes are the last turns of every device, or what it told.
func (s *S) causes() string {
	var out strings.Builder
	if h, ok := s.host.(Told); ok {
		out.WriteString(h.Told())
	}
	for _, d := range s.devices {
		if k := d.m.Kernel(); k != nil {
			fmt.Fprintf(&out, "%s at %v:\n%s", d.name, s.host.Now(), k.Causes())
		}
	}
	return out.String()
}
