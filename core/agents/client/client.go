package client

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

// run is how far onboarding is.
type run struct {
	Since   time.Duration // since boot: the agent's start
	Step    string        // of the round under way, empty between rounds
	At      string        // the step reached last
	Tries   int
	Last    time.Duration // start of the newest round
	Next    time.Duration // when the next may start
	Delay   time.Duration // between the newest round and the next
	Network uint64        // revision of the network's state in the newest round
	Server  string        // whom the flags below are about
	Certs   bool          // its certificates were fetched
	Missed  bool          // the last round ended at a signer that they do not list
	Asked   bool          // registration was tried in this round
	Known   bool          // registration was accepted
	Refused bool          // registration was refused in this round
	Done    bool
	Recheck bool // this run was asked for by zedagent
	Checked int  // the newest UUIDCheck that was taken
	Error   string
}

// Key is "run".
func (run) Key() string { return "run" }

// chain is the certificate list fetched last.
type chain struct {
	Body  []byte // serialized ZControllerCert
	Saved bool   // it is, or was tried to be, in the checkpoint
}

// Key is "chain".
func (chain) Key() string { return "chain" }

var (
	conn   = controllerconn.Declare("zedclient")
	runs   = bus.NewTopic[run](bus.Decl{Owner: "zedclient", Name: "Run", Life: bus.Local})
	chains = bus.NewTopic[chain](bus.Decl{Owner: "zedclient", Name: "CertChain", Life: bus.Local,
		MaxBytes: 2 << 20})
)

// client is its wiring.
type client struct {
	conn     *controllerconn.Conn
	root     *controllerconn.File
	soft     *controllerconn.File
	saved    *controllerconn.File
	net      *bus.Sub[network.DeviceNetworkStatus]
	keys     *bus.Sub[tpm.KeySeen]
	host     *bus.Sub[hyper.HostSeen]
	clock    *bus.Sub[clock.ClockSeen]
	files    *bus.Sub[store.FileSeen]
	checks   *bus.Sub[node.UUIDCheck]
	identity *bus.Pub[node.OnboardingStatus]
	status   *bus.Pub[node.ClientStatus]
	certs    *bus.Pub[security.ControllerCert]
	led      *bus.Pub[node.LedBlinkCounter]
	runs     *bus.Pub[run]
	chains   *bus.Pub[chain]
	write    *agent.Calls[store.WriteReq, store.None]
}

// Files it reads and writes.
const (
	rootFile  = "/config/root-certificate.pem"
	softFile  = "/config/soft_serial"
	certsFile = "/persist/checkpoint/controllercerts"
	uuidFile  = "/persist/status/uuid"
	modelFile = "/persist/status/hardwaremodel"
)

// New wires the agent.
func New(p bus.Port) agent.Agent {
	return &client{
		conn:     controllerconn.Attach(p, conn, controllerconn.Options{}),
		root:     controllerconn.AttachFile(p, rootFile),
		soft:     controllerconn.AttachFile(p, softFile),
		saved:    controllerconn.AttachFile(p, certsFile),
		net:      bus.Subscribe(p, network.DNS),
		keys:     bus.Subscribe(p, tpm.Keys),
		host:     bus.Subscribe(p, hyper.Host, bus.Optional),
		clock:    bus.Subscribe(p, clock.Clock, bus.Optional),
		files:    bus.Subscribe(p, store.Files, bus.Optional),
		checks:   bus.Subscribe(p, node.UUIDChecks, bus.Optional),
		identity: bus.Publish(p, node.Onboarding),
		status:   bus.Publish(p, node.Client),
		certs:    bus.Publish(p, security.ControllerCerts.Of("zedclient")),
		led:      bus.Publish(p, node.Led.Of("zedclient")),
		runs:     bus.Publish(p, runs),
		chains:   bus.Publish(p, chains),
		write:    agent.Use(p, store.Write),
	}
}

// Step moves the run on and keeps the files that tell its outcome.
func (a *client) Step(t *agent.Turn) {
	r := a.load(t)
	a.recheck(&r)
	wait := ""
	if !r.Done {
		if wait = a.closed(t); wait == "" {
			a.advance(t, &r)
		} else {
			a.halt(t, &r)
		}
		a.offline(t, &r)
	}
	a.runs.Put(r)
	a.tell(t, &r, wait)
	a.keepFiles(t)
}

// load reads the run; after a crash of the agent the published status says whether it was over.
func (a *client) load(t *agent.Turn) run {
	if r := a.runs.Get("run"); r != nil {
		return *r
	}
	r := run{Since: t.Now}
	if s := a.status.Get(entity.Global); s != nil && s.Step == stepDone {
		r.Done, r.At, r.Checked = true, stepDone, a.asked()
	}
	return r
}

func (a *client) asked() int {
	if c := a.checks.Get(entity.Global); c != nil {
		return c.Count
	}
	return 0
}

// recheck starts a run for the UUID alone when zedagent asks for one.
func (a *client) recheck(r *run) {
	if n := a.asked(); r.Done && n != r.Checked {
		r.Done, r.Recheck, r.Checked = false, true, n
		r.Next, r.Delay, r.Known = 0, 0, true
	}
}

// offlineAfter is how long a device that was onboarded earlier waits for a network.
const offlineAfter = 5 * time.Second

// offline ends the run of an onboarded device that has no network.
func (a *client) offline(t *agent.Turn, r *run) {
	id := a.identity.Get(entity.Global)
	if r.Done || r.Recheck || id == nil || id.DeviceUUID == "" {
		return
	}
	if at := r.Since + offlineAfter; t.Now < at {
		t.WakeAt("offline", at)
		return
	}
	if n := a.net.Get(entity.Global); n != nil && n.State == network.DPCSuccess {
		return
	}
	if !a.saved.Exists() && a.files.Get(store.FileKey(certsFile+".bak")) == nil {
		return
	}
	a.halt(t, r)
	a.finish(r)
	t.Log(agent.Info, "", "no network: goes on as "+id.DeviceUUID)
}

// finish ends the run. Doubts of zedagent that came meanwhile are answered with it.
func (a *client) finish(r *run) {
	r.Done, r.At, r.Step, r.Error, r.Checked = true, stepDone, "", "", a.asked()
}

// tell publishes what the run is at.
func (a *client) tell(t *agent.Turn, r *run, wait string) {
	s := node.ClientStatus{}
	if old := a.status.Get(entity.Global); old != nil {
		s = *old
	}
	s.Step, s.Tries = r.At, r.Tries
	if wait != "" && !r.Done {
		s.Step = wait
	}
	s.ErrorDescription.Set(entity.ErrorDescription{
		Error: r.Error, ErrorRetryCondition: retryCondition}, t.Wall)
	a.status.Put(s)
}

const retryCondition = "tried again after 1 s to 10 min, and when the network changes"

// light makes the LED say something, unless it was the last thing said.
func (a *client) light(t *agent.Turn, code node.LedBlinkCount) {
	if l := a.led.Get(node.LedBlinkCounter{}.Key()); l == nil || l.BlinkCounter != code {
		a.led.Put(node.LedBlinkCounter{BlinkCounter: code, Since: int64(t.Now)})
	}
}
