package controllerconn

import (
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Stage of an exchange.
type Stage uint8

// Stages, in order; see the picture in the package's comment.
const (
	StageNone Stage = iota // dropped; the row keeps the count
	StageQueued
	StageSigning
	StageSending
	StageDone
	StageFailed
)

// Exchange is an exchange as the agent remembers it.
type Exchange struct {
	Name      string
	Request   Request
	Test      bool // a connectivity test: ports are given by the caller, no port is left out
	Iteration int
	Stage     Stage
	// Began, Ended and Deadline are since boot.
	Began, Ended, Deadline time.Duration
	// IfName, Source and Proxy are of the attempt under way.
	IfName   string
	Source   netip.Addr
	Proxy    string
	Attempts []Attempt
	// The outcome; the body stays with the call of web.Send.
	Code        int
	ContentType string
	Status      SenderStatus
	LastCode    int
	Text        string
	Ports       []PortResult // of a test
}

// Key is the name under which the agent asked.
func (x Exchange) Key() string { return x.Name }

// maxExchange bounds a row: a payload and its attempts.
const maxExchange = 2 << 20

// Want makes sure that the exchange has been asked for under key and returns how far it is. Another
// request under the key replaces the exchange; an outcome stays until Redo or Drop. Keys of
// exchanges live beside the agent's own keys of web.Send and tpm.Sign.
func (c *Conn) Want(t *agent.Turn, key string, req Request) Result {
	x := c.rows.Get(key)
	if x == nil || x.Stage == StageNone || !x.Request.equal(&req) {
		x = c.begin(t, x, Exchange{Name: key, Request: req})
	}
	return c.look(t, x, nil)
}

// Get goes on with what was asked for under key and returns how far it is; its Phase is None when
// there is nothing.
func (c *Conn) Get(t *agent.Turn, key string) Result {
	x := c.rows.Get(key)
	if x == nil || x.Stage == StageNone {
		return Result{}
	}
	return c.look(t, x, nil)
}

// Redo starts an exchange that is over again, over the next port of the cheapest cost.
func (c *Conn) Redo(t *agent.Turn, key string) {
	if x := c.rows.Get(key); x != nil && x.Stage >= StageDone {
		c.begin(t, x, Exchange{Name: key, Request: x.Request, Test: x.Test})
	}
}

// Drop cancels and forgets an exchange; none is fine.
func (c *Conn) Drop(t *agent.Turn, key string) {
	x := c.rows.Get(key)
	if x == nil || x.Stage == StageNone {
		return
	}
	c.release(t, key)
	c.rows.Put(Exchange{Name: key, Iteration: x.Iteration})
}

// Keep drops the exchanges whose key is not wanted, but never the queue's.
func (c *Conn) Keep(t *agent.Turn, wanted func(key string) bool) {
	for k := range c.rows.All() {
		if k != queueKey && !wanted(k) {
			c.Drop(t, k)
		}
	}
}

func (c *Conn) release(t *agent.Turn, key string) {
	c.sign.Drop(key)
	c.send.Drop(key)
	t.Unwake("conn/" + key)
}

func (c *Conn) begin(t *agent.Turn, old *Exchange, x Exchange) *Exchange {
	if old != nil {
		x.Iteration = old.Iteration
		if old.Stage != StageNone {
			c.release(t, x.Name)
		}
	}
	x.Iteration++
	x.Stage = StageQueued
	c.rows.Put(x)
	return c.rows.Get(x.Name)
}

// look moves an exchange as far as it goes now. ports are those of a test, nil for the device's.
func (c *Conn) look(t *agent.Turn, row *Exchange, ports []network.NetworkPortStatus) Result {
	if row.Stage < StageDone {
		s := step{c: c, t: t, x: *row, ports: ports}
		s.run()
		if s.moved {
			c.rows.Put(s.x)
			row = c.rows.Get(row.Name)
		}
	}
	return c.result(row)
}

func (c *Conn) result(x *Exchange) Result {
	r := Result{
		Code: x.Code, ContentType: x.ContentType, Status: x.Status, LastCode: x.LastCode,
		Attempts: x.Attempts, Iteration: x.Iteration, text: x.Text,
	}
	switch x.Stage {
	case StageQueued:
		r.Phase = agent.Queued
	case StageSigning, StageSending:
		r.Phase = agent.Running
	case StageDone, StageFailed:
		r.Phase, r.Ended, r.Took = agent.Done, x.Ended, x.Ended-x.Began
		if x.Stage == StageFailed {
			r.Phase = agent.Failed
			return r
		}
		if call := c.send.Get(x.Name); call.Res != nil {
			r.Payload, r.Kept = call.Res.Body, call.Res.Kept
		}
		if x.Request.Verify && accepted(x.Code) && len(r.Payload) > 0 {
			// Verified when it came; here it is only opened.
			e, _ := eveapi.ParseEnvelope(r.Payload)
			r.Payload = e.Payload
		}
	}
	return r
}

// step is one look at an exchange that is not over.
type step struct {
	c     *Conn
	t     *agent.Turn
	x     Exchange
	ports []network.NetworkPortStatus
	moved bool
}

func (s *step) run() {
	if s.x.Stage > StageQueued && s.t.Now >= s.x.Deadline {
		s.expire()
		return
	}
	switch s.x.Stage {
	case StageQueued:
		s.start()
	case StageSigning:
		s.signed()
	case StageSending:
		s.answered()
	}
}

// start leaves the queue once it is known where to send.
func (s *step) start() {
	if s.c.url(s.t, &s.x.Request) == "" {
		return
	}
	s.moved = true
	s.x.Began = s.t.Now
	s.x.Deadline = s.t.Now + s.c.limit(&s.x.Request)
	s.t.WakeAt("conn/"+s.x.Name, s.x.Deadline)
	if s.x.Request.Endpoint.Method() != "POST" {
		s.next()
		return
	}
	s.x.Stage = StageSigning
	s.askSign()
	s.signed()
}

func (s *step) askSign() {
	name := tpm.Device
	if len(s.x.Request.SenderPEM) > 0 {
		name = tpm.Onboard
	}
	s.c.sign.Want(s.x.Name, tpm.SignReq{Name: name, Digest: eveapi.Digest(s.x.Request.Payload)})
}

func (s *step) signed() {
	switch call := s.c.sign.Get(s.x.Name); call.Phase {
	case agent.None:
		s.askSign()
	case agent.Done:
		s.next()
	case agent.Failed:
		s.x.Status = StatusFailed
		s.end(StageFailed, "sign the request: "+call.Fault.Text)
	}
}

// expire ends an exchange whose time is up.
func (s *step) expire() {
	text := "the time for all ports is up"
	if s.x.Stage == StageSending {
		s.note(Attempt{Error: "no answer in time", Took: s.t.Now - s.c.send.Get(s.x.Name).Began})
		text += "; " + describe(s.x.Attempts)
	}
	if s.x.Status == StatusNone {
		s.x.Status = StatusFailed
	}
	s.c.send.Drop(s.x.Name)
	s.end(StageFailed, text)
}

// note records how the attempt under way ended.
func (s *step) note(a Attempt) {
	a.IfName, a.Source, a.Proxy = s.x.IfName, s.x.Source.String(), s.x.Proxy
	s.add(a)
	s.x.IfName, s.x.Source, s.x.Proxy = "", netip.Addr{}, ""
}

func (s *step) add(a Attempt) {
	s.moved = true
	if a.Code != 0 {
		s.x.LastCode = a.Code
	}
	if a.Class != StatusNone {
		s.x.Status = a.Class
	}
	n := len(s.x.Attempts)
	s.x.Attempts = append(s.x.Attempts[:n:n], a)
}

func (s *step) end(stage Stage, text string) {
	s.moved = true
	s.x.Stage, s.x.Text, s.x.Ended = stage, text, s.t.Now
	s.c.sign.Drop(s.x.Name)
	s.t.Unwake("conn/" + s.x.Name)
	s.c.count(s.t, &s.x)
	if s.x.Test {
		s.x.Ports = portResults(s.ports, &s.x, s.c.pingURL(s.t))
	}
}
