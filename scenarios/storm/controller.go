package storm

import (
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/fault"
)

func controllerKinds() []kind {
	out := []kind{
		{name: fault.ControllerGone, inject: leave, heal: leave},
		{name: fault.ControllerRotate, inject: func(s *Storm, _ *act) { s.rotate() }},
		{name: fault.ControllerSkew, inject: skew, heal: skew},
	}
	for _, k := range misbehaviours() {
		out = append(out, kind{name: k.kind, available: hasEndpoint,
			inject: func(s *Storm, a *act) { s.misbehave(a, k.as) },
			heal: func(s *Storm, a *act) {
				s.v.Site.With(func() { s.v.Site.Controller.ClearFault(a.name) })
			}})
	}
	return out
}

// misbehaviour is a kind of fault as the controller knows it.
type misbehaviour struct {
	kind fault.Kind
	as   controllersim.FaultKind
}

func misbehaviours() []misbehaviour {
	return []misbehaviour{
		{fault.ControllerStatus, controllersim.FaultStatus},
		{fault.ControllerDelay, controllersim.FaultDelay},
		{fault.ControllerUnread, controllersim.FaultUnread},
		{fault.ControllerClose, controllersim.FaultClose},
		{fault.ControllerTruncate, controllersim.FaultTruncate},
		{fault.ControllerEmpty, controllersim.FaultEmpty},
		{fault.ControllerCorrupt, controllersim.FaultCorrupt},
		{fault.ControllerTwice, controllersim.FaultTwice},
		{fault.ControllerRepeat, controllersim.FaultRepeat},
		{fault.ControllerStale, controllersim.FaultNotModified},
		{fault.ControllerStranger, controllersim.FaultWrongSigner},
		{fault.ControllerForged, controllersim.FaultBadSignature},
		{fault.ControllerExpired, controllersim.FaultExpiredCert},
		{fault.ControllerWrongType, controllersim.FaultContentType},
		{fault.ControllerLate, controllersim.FaultLate},
		{fault.ControllerAgain, controllersim.FaultAgain},
	}
}

func hasEndpoint(_ *Storm, a *act) bool {
	return a.On == "" || eveapi.Endpoint(a.On).Method() != ""
}

// misbehave has the controller misbehave in one way.
func (s *Storm) misbehave(a *act, as controllersim.FaultKind) {
	f := controllersim.Fault{Name: a.name, Kind: as, Endpoint: eveapi.Endpoint(a.On)}
	switch as {
	case controllersim.FaultStatus:
		f.Status = int(a.Value)
	case controllersim.FaultDelay, controllersim.FaultLate, controllersim.FaultAgain:
		f.Delay = time.Duration(a.Value) * time.Millisecond
	case controllersim.FaultExpiredCert:
		s.rotate() // else nobody asks for the list
	case controllersim.FaultNotModified:
		f.Endpoint = eveapi.Config
	case controllersim.FaultContentType:
		f.ContentType = "text/html"
	}
	s.v.Site.With(func() { must(s.v.Site.Controller.SetFault(f)) })
}

func (s *Storm) rotate() { s.v.Site.With(func() { must(s.v.Site.Controller.Rotate()) }) }

// leave has the controller be silent.
func leave(s *Storm, _ *act) {
	state := world.Up
	if s.holds(fault.ControllerGone, "") {
		state = world.Silent
	}
	s.d.World.SetServer(world.ControllerLabel, state)
}

// skew sets the controller's clock.
func skew(s *Storm, _ *act) {
	var d time.Duration
	s.each(fault.ControllerSkew, func(a *act) { d += time.Duration(a.Value) * time.Second })
	s.v.Site.With(func() { s.v.Site.Skew = d })
}

func must(err error) {
	if err != nil { // plans are checked: this is a defect of ours
		panic("storm: " + err.Error())
	}
}
