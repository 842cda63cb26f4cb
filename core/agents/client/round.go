package client

import (
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// Steps as ClientStatus has them; they name the exchanges, too.
const (
	stepNetwork  = "waiting for network"
	stepCerts    = "certs"
	stepRegister = "register"
	stepUUID     = "uuid"
	stepDone     = "done"
)

const (
	firstDelay = time.Second
	maxDelay   = 10 * time.Minute
	// settle keeps a network that changes all the time from causing a round each time; a 64th of the
	// back-off does so where rounds keep failing.
	settle = time.Second
	// clockWait is how long a clock that nobody sets is waited for, as long as EVE waits for an
	// address and then for time servers.
	clockWait = 6 * time.Minute
)

// closed says what a round waits for, empty if it may start or go on. Reading files is asked for
// here.
func (a *client) closed(t *agent.Turn) string {
	_, root := a.root.Read(t)
	_, soft := a.soft.Read(t)
	server := a.conn.Server(t)
	n := a.net.Get(entity.Global)
	key := a.keys.Get(tpm.Device)
	switch {
	case n == nil || !n.State.Sends() || !n.Usable():
		return stepNetwork
	case a.untimely(t):
		return "waiting for time"
	case key == nil || key.CertPEM == "" || !a.keys.Complete():
		return "waiting for the device certificate"
	case root != controllerconn.FileReady:
		return "waiting for " + rootFile
	case server == "":
		return "waiting for " + controllerconn.ServerFile
	case soft == controllerconn.FileUnknown:
		return "waiting for " + softFile
	}
	return ""
}

// untimely reports whether the clock is not to be trusted and may still be set.
func (a *client) untimely(t *agent.Turn) bool {
	c := a.clock.Get("clock")
	if c == nil || c.RTC || c.Synced {
		return false
	}
	if t.Now < clockWait {
		t.WakeAt("clock", clockWait)
		return true
	}
	return false
}

// halt ends the round under way; nothing is sent until the gate opens.
func (a *client) halt(t *agent.Turn, r *run) {
	for _, k := range [...]string{stepCerts, stepRegister, stepUUID} {
		a.conn.Drop(t, k)
	}
	r.Step = ""
}

// advance starts the rounds that are due and takes them as far as they go.
func (a *client) advance(t *agent.Turn, r *run) {
	if server := a.conn.Server(t); server != r.Server {
		if r.Server != "" {
			a.halt(t, r)
			r.Next = 0
		}
		r.Server, r.Certs, r.Known = server, false, r.Recheck
	}
	// A round that ends at once may be followed by another: the network may have changed under it.
	for !r.Done && (r.Step != "" || a.start(t, r)) {
		was := r.Step
		r.At = was
		switch was {
		case stepCerts:
			a.fetchCerts(t, r)
		case stepRegister:
			a.register(t, r)
		case stepUUID:
			a.askUUID(t, r)
		}
		if r.Step == was {
			return
		}
	}
}

// start begins a round when it is time, or when the network is another than in the last round.
func (a *client) start(t *agent.Turn, r *run) bool {
	rev := a.net.Rev(entity.Global)
	at := r.Next
	if rev != r.Network {
		at = min(at, r.Last+max(settle, r.Delay/64))
	}
	if t.Now < at {
		t.WakeAt("round", at)
		return false
	}
	r.Step, r.Tries, r.Last, r.Network = stepCerts, r.Tries+1, t.Now, rev
	r.Asked, r.Refused = false, false
	return true
}

// fail ends a round without success.
func (a *client) fail(t *agent.Turn, r *run, text string) {
	if text != r.Error {
		t.Log(agent.Warn, "", r.Step+": "+text)
	}
	r.Error, r.Step = text, ""
	r.Delay = min(max(2*r.Delay, firstDelay), maxDelay)
	wait := t.Between("round/"+strconv.Itoa(r.Tries), r.Delay, r.Delay*5/4)
	r.Next = t.Now + min(wait, maxDelay)
	t.WakeAt("round", r.Next)
}
