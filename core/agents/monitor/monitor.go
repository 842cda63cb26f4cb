package monitor

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const (
	// keep is how many requests that have ended stay to be looked at.
	keep = 16
	// retryAfter is how long an answer that was not taken waits.
	retryAfter = 10 * time.Second
)

// monitor is only its wiring.
type monitor struct {
	requests *bus.Sub[operator.RequestSeen]
	net      *bus.Sub[network.DeviceNetworkStatus]
	dpcl     *bus.Sub[network.DevicePortConfigList]
	who      *bus.Sub[node.OnboardingStatus]
	manual   *bus.Pub[network.DevicePortConfig]
	status   *bus.Pub[node.OperatorRequestStatus]
	server   *agent.Calls[store.SetServerReq, store.None]
	answer   *agent.Calls[operator.AnswerReq, operator.None]
}

// New attaches monitor to its tables and ops.
func New(p bus.Port) agent.Agent {
	return &monitor{
		requests: bus.Subscribe(p, operator.Requests),
		net:      bus.Subscribe(p, network.DNS, bus.Quiet),
		dpcl:     bus.Subscribe(p, network.DPCL, bus.Quiet),
		who:      bus.Subscribe(p, node.Onboarding),
		manual:   bus.Publish(p, network.ManualDPC),
		status:   bus.Publish(p, node.OperatorRequests),
		server:   agent.Use(p, store.SetServer),
		answer:   agent.Use(p, operator.Answer),
	}
}

// Step is one turn: what is asked for is carried out, what has ended is answered.
func (m *monitor) Step(t *agent.Turn) {
	for _, q := range m.requests.All() {
		st := m.status.Get(q.ID)
		if st == nil || st.State == node.RequestRunning {
			m.status.Put(m.carryOut(t, q))
			st = m.status.Get(q.ID)
		}
		if st.State != node.RequestRunning {
			m.tell(t, st)
		}
	}
	m.answer.Keep(m.waits)
	m.server.Keep(m.waits)
	m.forget()
	m.manual.Complete()
	m.status.Complete()
}

// waits reports whether a request waits for its answer.
func (m *monitor) waits(id string) bool { return m.requests.Get(id) != nil }

// carryOut does what a request asks for, or goes on with it, and returns how far it is.
func (m *monitor) carryOut(t *agent.Turn, q *operator.RequestSeen) node.OperatorRequestStatus {
	st := node.OperatorRequestStatus{ID: q.ID, Kind: string(q.Kind), State: node.RequestDone}
	var r *refusal
	switch {
	case q.Kind == operator.SetInterface && q.Interface != nil:
		st.About = clip(q.Interface.Name)
		r = m.setInterface(t, q.Interface)
	case q.Kind == operator.Revert:
		m.manual.Delete(keyManual)
	case q.Kind == operator.SetServer:
		st.About = clip(q.Server)
		var running bool
		if running, r = m.setServer(q); running {
			st.State = node.RequestRunning
		}
	default:
		r = &refusal{text: "nothing on this device does this: " + clip(string(q.Kind))}
	}
	if r != nil {
		st.State, st.Reason = node.RequestRefused, r.text
		for _, f := range r.fields {
			st.Fields = append(st.Fields, f.Field+": "+f.Text)
		}
	}
	if old := m.status.Get(q.ID); old != nil && old.State == st.State {
		st.At = old.At
	} else {
		st.At = t.Wall
	}
	if st.State != node.RequestRunning {
		t.Log(agent.Info, "", strings.TrimSpace("the operator's "+st.Kind+" "+st.About)+": "+
			st.State.String())
	}
	return st
}

// refusal is why a request is not carried out.
type refusal struct {
	text   string
	fields []operator.FieldError
}

// clip bounds what is repeated of a request.
func clip(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// setServer has another controller written down; running says that it is not over.
func (m *monitor) setServer(q *operator.RequestSeen) (running bool, r *refusal) {
	who := m.who.Get(entity.Global)
	switch {
	case who != nil && who.DeviceUUID != "":
		return false, &refusal{text: "the device is onboarded: its controller cannot be changed any more"}
	case !store.IsServer(q.Server):
		return false, &refusal{text: "the server is neither host nor host:port",
			fields: []operator.FieldError{{Field: "server", Text: "neither host nor host:port"}}}
	}
	switch c := m.server.Want(q.ID, store.SetServerReq{Server: q.Server}); c.Phase {
	case agent.Done:
		return false, nil
	case agent.Failed:
		return false, &refusal{text: c.Fault.Text}
	}
	return true, nil
}

// tell answers a request that has ended, until it is gone.
func (m *monitor) tell(t *agent.Turn, st *node.OperatorRequestStatus) {
	a := operator.AnswerReq{ID: st.ID, OK: st.State == node.RequestDone, Text: st.Reason}
	for _, f := range st.Fields {
		name, text, _ := strings.Cut(f, ": ")
		a.Fields = append(a.Fields, operator.FieldError{Field: name, Text: text})
	}
	c := m.answer.Want(st.ID, a)
	if !c.Over() {
		return
	}
	if again := c.Ended + retryAfter; t.Now < again {
		t.WakeAt(st.ID, again)
	} else {
		m.answer.Redo(st.ID)
	}
}

// forget drops the oldest of the requests that are gone.
func (m *monitor) forget() {
	over := m.status.Len() - keep
	for id := range m.status.All() {
		if over <= 0 {
			return
		}
		if m.requests.Gone(id) {
			m.status.Delete(id)
			over--
		}
	}
}
