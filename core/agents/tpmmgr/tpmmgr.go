package tpmmgr

import (
	"encoding/hex"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/security"
)

// creation is the request for the device key, kept as it was when it was first made.
type creation struct {
	NotBefore int64 // unix seconds
}

// Key is the name of the key.
func (creation) Key() string { return tpm.Device }

var creations = bus.NewTopic[creation](bus.Decl{
	Owner: "tpmmgr", Name: "Creation", Life: bus.Local, MaxRows: 1})

// tpmmgr is its wiring.
type tpmmgr struct {
	keys      *bus.Sub[tpm.KeySeen]
	module    *bus.Sub[tpm.TpmSeen]
	clock     *bus.Sub[clock.ClockSeen]
	certs     *bus.Pub[security.EdgeNodeCert]
	status    *bus.Pub[security.TpmStatus]
	creations *bus.Pub[creation]
	create    *agent.Calls[tpm.CreateReq, tpm.CreateRes]
}

// New wires the agent.
func New(p bus.Port) agent.Agent {
	return &tpmmgr{
		keys:      bus.Subscribe(p, tpm.Keys),
		module:    bus.Subscribe(p, tpm.Module),
		clock:     bus.Subscribe(p, clock.Clock, bus.Optional),
		certs:     bus.Publish(p, security.EdgeNodeCerts),
		status:    bus.Publish(p, security.Tpm),
		creations: bus.Publish(p, creations),
		create:    agent.Use(p, tpm.Create),
	}
}

// Step makes what is missing and publishes what there is.
func (a *tpmmgr) Step(t *agent.Turn) {
	s := security.TpmStatus{}
	if old := a.status.Get(entity.Global); old != nil {
		s.ErrorAndTime = old.ErrorAndTime
	}
	if m := a.module.Get(tpm.TpmSeen{}.Key()); m != nil {
		s.Kind, s.Vendor = m.Kind, m.Vendor
	}
	k := a.keys.Get(tpm.Device)
	trouble := ""
	switch {
	case k != nil && k.CertPEM != "":
		s.Ready, s.InTPM, s.CertHash = true, k.InTPM, hex.EncodeToString(k.CertHash[:])
		a.create.Drop(tpm.Device)
		a.creations.Delete(tpm.Device)
	case a.keys.Complete():
		trouble = a.makeKey(t, s.Error)
	}
	s.ErrorDescription.Set(entity.ErrorDescription{
		Error: trouble, ErrorRetryCondition: "tried again after 10 s to 5 min"}, t.Wall)
	a.status.Put(s)
	a.publishCerts()
}

const (
	firstRetry = 10 * time.Second
	maxRetry   = 5 * time.Minute
	// clockWait is how long a clock that nobody sets is waited for.
	clockWait = 6 * time.Minute
	// backdated makes a certificate valid for peers whose clock is slow.
	backdated = 24 * time.Hour
)

// makeKey asks for the device key once the time can stand in a certificate, and says what goes
// wrong: what went wrong last until another try has ended.
func (a *tpmmgr) makeKey(t *agent.Turn, last string) string {
	c := a.creations.Get(tpm.Device)
	if c == nil {
		if !a.timely(t) {
			return last
		}
		a.creations.Put(creation{NotBefore: t.Wall.Add(-backdated).Unix()})
		c = a.creations.Get(tpm.Device)
	}
	call := a.create.Want(tpm.Device, tpm.CreateReq{Name: tpm.Device, NotBefore: c.NotBefore})
	if !call.Over() {
		return last
	}
	// Done without a key to be seen is a failure, too: it was lost meanwhile.
	text := "create device key: the key is not there"
	if call.Fault != nil {
		text = "create device key: " + call.Fault.Text
	}
	if at := call.Ended + min(firstRetry<<min(call.Tries-1, 5), maxRetry); t.Now < at {
		t.WakeAt("create", at)
	} else {
		a.create.Redo(tpm.Device)
	}
	return text
}

// timely reports whether the time may stand in a certificate: the clock runs on a battery or was
// set; or nobody sets it, and at least it does not start at the beginning of time.
func (a *tpmmgr) timely(t *agent.Turn) bool {
	c := a.clock.Get(clock.ClockSeen{}.Key())
	if c != nil && (c.RTC || c.Synced) {
		return true
	}
	if t.Now < clockWait {
		t.WakeAt("clock", clockWait)
		return false
	}
	if t.Wall.Year() > 1970 {
		return true
	}
	t.WakeAt("clock", t.Now+time.Minute)
	return false
}
