package diag

import (
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// controller says whether the controller can be reached, and if not, what else can.
func (a *diag) controller(r *report, dns *network.DeviceNetworkStatus) {
	r.section("4-controller")
	if dns == nil {
		r.say(node.DiagNote, "the network was not tested yet")
		return
	}
	reason := ""
	if list := a.dpcl.Get(entity.Global); list != nil {
		if i := dns.CurrentIndex; i >= 0 && i < len(list.PortConfigList) {
			d := &list.PortConfigList[i]
			reason = d.LastError + d.LastWarning
		}
	}
	switch dns.State {
	case network.DPCSuccess:
		r.say(node.DiagPass, "the controller answers")
	case network.DPCRemoteWait:
		r.say(node.DiagWarning, "the network works, the controller does not: %s", reason)
	case network.DPCFail, network.DPCFailWithIPAndDNS:
		r.say(node.DiagError, "the controller cannot be reached: %s", reason)
	default:
		r.say(node.DiagNote, "the network is being tested: %s", stateText(dns.State))
	}
	a.configGet(r)
	a.probed(r)
}

// configGet says how the last request for a configuration went.
func (a *diag) configGet(r *report) {
	z := a.zedagent.Get("zedagent")
	if z == nil {
		return
	}
	switch z.ConfigGetStatus {
	case node.ConfigGetSuccess:
		r.say(node.DiagPass, "the configuration is up to date (%s)", orNone(z.ConfigVersion))
	case node.ConfigGetFail:
		r.say(node.DiagError, "the configuration could not be fetched")
	case node.ConfigGetTemporaryFail:
		r.say(node.DiagWarning, "the controller cannot give the configuration at the moment")
	case node.ConfigGetReadSaved:
		r.say(node.DiagWarning, "the device runs with the configuration it saved last")
	}
}

// probed says what the ports got from well-known servers.
func (a *diag) probed(r *report) {
	for _, p := range a.probes.All() {
		url := a.endpoint(p.Scheme)
		switch {
		case !p.Over:
			r.say(node.DiagNote, "port %s asks %s", p.Port, url)
		case p.Error != "":
			r.say(node.DiagError, "port %s gets no answer from %s: %s", p.Port, url, p.Error)
		default:
			r.say(node.DiagPass, "port %s gets an answer from %s (%d): the network works, "+
				"the controller is the problem", p.Port, url, p.Code)
		}
	}
}
