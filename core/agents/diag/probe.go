package diag

import (
	"fmt"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// outage remembers how often the ports were asked since the controller went out of reach.
type outage struct {
	Rounds int           // begun
	Next   time.Duration // when the next one begins; 0: one is under way, or was the last
}

// Key is "outage".
func (outage) Key() string { return "outage" }

// probe is what a port got from a well-known server.
type probe struct {
	Port   string // logical label
	IfName string
	Scheme string // "http" or "https"
	Round  int    // of the outage
	Over   bool
	Code   int    // HTTP status, 0 without an answer
	Error  string // why there was none
}

// Key is the scheme with the interface.
func (p probe) Key() string { return p.Scheme + ":" + p.IfName }

var (
	outages = bus.NewTopic[outage](bus.Decl{Owner: "diag", Name: "Outage", Life: bus.Local})
	probes  = bus.NewTopic[probe](bus.Decl{Owner: "diag", Name: "Probe", Life: bus.Local, MaxRows: 64})
)

const (
	maxRounds    = 6 // the first and five more
	firstRest    = time.Minute
	probeTimeout = 15 * time.Second
	maxPorts     = 16 // that are asked
)

// probe asks well-known servers while the controller is out of reach. An outage lasts until nim
// finds a way: the states between two failures do not end it.
func (a *diag) probe(t *agent.Turn, dns *network.DeviceNetworkStatus) {
	if dns == nil || dns.State == network.DPCSuccess || dns.State == network.DPCRemoteWait {
		a.outage.Delete(outage{}.Key())
		a.probes.Keep(func(string) bool { return false })
		a.send.Keep(func(string) bool { return false })
		t.Unwake("round")
		return
	}
	o := a.outage.Get(outage{}.Key())
	failed := dns.State == network.DPCFail || dns.State == network.DPCFailWithIPAndDNS
	switch {
	case o == nil && !failed:
		return
	case o == nil:
		a.begin(t, dns, 1)
	case o.Next > t.Now:
		t.WakeAt("round", o.Next)
	case o.Next > 0:
		a.begin(t, dns, o.Rounds+1)
	}
	a.follow(t, dns)
}

// begin asks each management port with an address.
func (a *diag) begin(t *agent.Turn, dns *network.DeviceNetworkStatus, round int) {
	next := outage{Rounds: round}
	if round < maxRounds {
		next.Next = t.Now + firstRest<<(round-1)
		t.WakeAt("round", next.Next)
	}
	a.outage.Put(next)
	a.send.Keep(func(string) bool { return false })
	a.probes.Keep(func(string) bool { return false })
	n := 0
	for i := range dns.Ports {
		p := &dns.Ports[i]
		if !p.IsMgmt || p.InvalidConfig || len(p.Addrs()) == 0 || n == maxPorts {
			continue
		}
		n++
		for _, scheme := range [...]string{"http", "https"} {
			a.probes.Put(probe{Port: p.Logicallabel, IfName: p.IfName, Scheme: scheme, Round: round})
		}
	}
}

// follow looks after the questions that are open.
func (a *diag) follow(t *agent.Turn, dns *network.DeviceNetworkStatus) {
	for key, row := range a.probes.All() {
		if row.Over {
			a.send.Drop(key)
			continue
		}
		done := *row
		done.Over = true
		call := a.send.Get(key)
		if call.Phase == agent.None {
			req, err := a.question(dns, row)
			if err != "" {
				done.Error = err
				a.probes.Put(done)
				continue
			}
			call = a.send.Want(key, req)
		}
		switch call.Phase {
		case agent.Done:
			done.Code = call.Res.Code
			a.probes.Put(done)
			a.send.Drop(key)
		case agent.Failed:
			done.Error = call.Fault.Text
			a.probes.Put(done)
			a.send.Drop(key)
		}
	}
}

// question is the request of a probe, or why it cannot be asked.
func (a *diag) question(dns *network.DeviceNetworkStatus, row *probe) (web.SendReq, string) {
	p := dns.Port(row.Port)
	if p == nil || len(p.Addrs()) == 0 {
		return web.SendReq{}, "the port has no address"
	}
	url := a.endpoint(row.Scheme)
	via, err := controllerconn.Via(p, p.Addrs()[0], url, controllerconn.Roots(dns.Ports))
	if err != nil {
		return web.SendReq{}, err.Error()
	}
	if why := controllerconn.NotReady(p, via.Proxy); why != "" {
		return web.SendReq{}, why
	}
	return web.SendReq{Via: via, Method: "GET", URL: url, TLS: web.TLSWeb, Timeout: probeTimeout,
		MaxBody: 1 << 20}, ""
}

// endpoint is the well-known server of a scheme.
func (a *diag) endpoint(scheme string) string {
	key := config.DiagProbeHTTP
	if scheme == "https" {
		key = config.DiagProbeHTTPS
	}
	host := a.config.Get(entity.Global).Text(key)
	if strings.Contains(host, "://") {
		return host
	}
	return fmt.Sprintf("%s://%s/", scheme, host)
}
