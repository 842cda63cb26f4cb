package controllerconn

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Verdict is the outcome of a connectivity test.
type Verdict uint8

// Verdicts.
const (
	// VerdictNone: the test is not over.
	VerdictNone Verdict = iota
	// Works: the controller answered through a management port.
	Works
	// RemoteTemporaryFailure: the network works and the controller is at fault: it answers 5xx,
	// refuses connections or has an invalid TLS certificate.
	RemoteTemporaryFailure
	// PortsNotReady: a port lacks an address or a DNS server, which may still come.
	PortsNotReady
	// Fails: everything else.
	Fails
)

// String is the verdict in words.
func (v Verdict) String() string {
	names := [...]string{"none", "works", "remote temporary failure", "ports not ready", "fails"}
	return names[min(int(v), len(names)-1)]
}

// PortResult is what a test says of one port.
type PortResult struct {
	IfName       string
	Logicallabel string
	// Tested: the port was used, or would have been if it had been ready. Else it was only looked at.
	Tested  bool
	Error   string // empty if nothing is wrong with it
	Warning string
}

// TestResult is how far a connectivity test is and what came of it.
type TestResult struct {
	// Phase is Queued while the controller's name is not known; Done and Failed follow from Verdict.
	Phase   agent.Phase
	Verdict Verdict
	// Text is what went wrong, for people.
	Text string
	// Code is the last HTTP status seen, 0 if there was none.
	Code int
	// Ports has a result for each port with a valid configuration, in the order given.
	Ports []PortResult
	// Ended is when it was over, since boot; Iteration counts the tests under this key.
	Ended     time.Duration
	Iteration int
}

// Over reports whether the test has ended.
func (r *TestResult) Over() bool { return r.Phase >= agent.Done }

// Test makes sure that the ports have been tested under key: management ports by cost, rotated from
// test to test inside one cost, until the controller's ping answers through one; all others are
// only looked at. The ports may change under way: each attempt uses what they are then. The outcome
// stays until Redo or Drop.
func (c *Conn) Test(t *agent.Turn, key string, ports []network.NetworkPortStatus) TestResult {
	x := c.rows.Get(key)
	if x == nil || x.Stage == StageNone || !x.Test {
		req := Request{Endpoint: eveapi.Ping, Timeout: c.settings().Seconds(config.PortTimeout)}
		x = c.begin(t, x, Exchange{Name: key, Request: req, Test: true})
	}
	res := c.look(t, x, ports)
	out := TestResult{
		Phase: res.Phase, Text: res.Error(), Code: res.LastCode, Ended: res.Ended,
		Iteration: res.Iteration,
	}
	switch {
	case res.Phase == agent.Done:
		out.Verdict = Works
	case res.Phase == agent.Failed:
		out.Verdict = verdict(res.Attempts)
	}
	if out.Over() {
		out.Ports = c.rows.Get(key).Ports
	}
	return out
}

// verdict classes the attempts of a test that found no way.
func verdict(list []Attempt) Verdict {
	remote := func(a Attempt) bool {
		return a.Code >= 500 && a.Code <= 511 || a.Class == StatusRefused || a.Class == StatusCertInvalid
	}
	switch {
	case slices.ContainsFunc(list, remote):
		return RemoteTemporaryFailure
	case slices.ContainsFunc(list, func(a Attempt) bool { return a.NotReady }):
		return PortsNotReady
	}
	return Fails
}

// portResults sums up a test by port.
func portResults(ports []network.NetworkPortStatus, x *Exchange, url string) []PortResult {
	var out []PortResult
	for i := range ports {
		p := &ports[i]
		if p.InvalidConfig {
			continue
		}
		r := PortResult{IfName: p.IfName, Logicallabel: p.Logicallabel}
		var own []Attempt
		for _, a := range x.Attempts {
			if a.IfName == p.IfName {
				own = append(own, a)
			}
		}
		switch {
		case len(own) == 0:
			r.Error, r.Warning = LookAt(p, url)
		case own[len(own)-1].Error != "":
			r.Tested, r.Error = true, describe(own)
		default:
			r.Tested = true
		}
		out = append(out, r)
	}
	return out
}

// LookAt judges a port without sending anything: what makes it unusable for a URL, and what is
// suspicious. Ports for applications need neither an address, if they have none configured, nor
// DNS.
func LookAt(p *network.NetworkPortStatus, url string) (trouble, warning string) {
	if !p.IsL3Port || !p.IsMgmt && p.Dhcp == network.DhcpNone {
		if !p.Up {
			return "port " + p.Logicallabel + " has no carrier", ""
		}
		return "", ""
	}
	proxy, err := ProxyFor(&p.ProxyConfig, url)
	if err != nil {
		return err.Error(), ""
	}
	why := NotReady(p, proxy)
	if !p.IsMgmt && p.Up && len(p.Addrs()) > 0 {
		return "", why
	}
	return why, ""
}

func (c *Conn) pingURL(t *agent.Turn) string { return c.url(t, &Request{Endpoint: eveapi.Ping}) }
