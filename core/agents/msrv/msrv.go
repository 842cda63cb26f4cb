package msrv

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// msrv is only its wiring.
type msrv struct {
	statuses  *bus.Sub[network.AppNetworkStatus]
	networks  *bus.Sub[network.AppNetworkConfig]
	instances *bus.Sub[network.NetworkInstanceStatus]
	ports     *bus.Sub[network.DeviceNetworkStatus]
	configs   *bus.Sub[app.AppInstanceConfig]
	names     *bus.Sub[node.EdgeNodeInfo]
	identity  *bus.Sub[node.OnboardingStatus]
	diag      *bus.Sub[node.DiagSection]
	offers    *bus.Sub[bridge.OfferSeen]
	posts     *bus.Sub[bridge.PostSeen]

	data    *bus.Pub[app.AppInstMetaData]
	outward *bus.Pub[outward]
	taken   *bus.Pub[taken]

	offer *agent.Calls[bridge.OfferReq, bridge.None]
}

// New attaches msrv to its tables and its op.
func New(p bus.Port) agent.Agent {
	return &msrv{
		statuses:  bus.Subscribe(p, network.AppNetworkStatuses),
		networks:  bus.Subscribe(p, network.AppNetworks),
		instances: bus.Subscribe(p, network.InstanceStatus),
		ports:     bus.Subscribe(p, network.DNS),
		configs:   bus.Subscribe(p, app.Configs),
		names:     bus.Subscribe(p, node.Info),
		identity:  bus.Subscribe(p, node.Onboarding),
		diag:      bus.Subscribe(p, node.Diag, bus.Optional),
		offers:    bus.Subscribe(p, bridge.Offers),
		posts:     bus.Subscribe(p, bridge.Posts),
		data:      bus.Publish(p, app.MetaData),
		outward:   bus.Publish(p, outwards),
		taken:     bus.Publish(p, takens),
		offer:     agent.Use(p, bridge.Offer),
	}
}

// Names of the offers to many; any other is named after its application, bridge and address.
const (
	guests    = "guests"
	strangers = "strangers"
)

// owner is the application that an offer is to, or the name of one to many.
func owner(offer string) string {
	id, _, _ := strings.Cut(offer, ".")
	return id
}

// Step has the part serve what is not served as it should be, and takes what was posted.
func (a *msrv) Step(t *agent.Turn) {
	a.takePosts(t)
	var w agent.Work
	agent.Keys(&w, a.statuses)
	agent.Keys(&w, a.networks)
	for key := range a.offers.Changed() {
		w.Add(owner(key))
	}
	for _, key := range a.offer.Ended() {
		w.Add(owner(key))
	}
	for _, key := range t.Due() {
		if offer, ok := strings.CutPrefix(key, dueOffer); ok {
			w.Add(owner(offer))
		}
	}
	a.lookOutward(&w)
	if a.names.Moved() || a.identity.Moved() {
		for id := range a.statuses.All() {
			w.Add(id)
		}
	}
	if a.statuses.Moved() {
		a.discoverers(&w)
		a.strays(&w)
	}
	if a.diag.Moved() {
		w.Add(guests)
	}
	if t.Full || a.instances.Moved() {
		w.Add(guests, strangers)
	}
	for _, id := range w.All() {
		a.settle(t, id)
	}
}

// strays notes the applications that something is served to, but whose network is not there, or not
// known yet.
func (a *msrv) strays(w *agent.Work) {
	for key := range a.offers.All() {
		if id := owner(key); a.statuses.Get(id) == nil {
			w.Add(id)
		}
	}
}

// retryAfter is how long an offer waits that the part did not take, or that is not seen although
// it was.
const retryAfter = 10 * time.Second

// dueOffer begins the key of an offer's deadline.
const dueOffer = "offer/"

// settle brings what is served to an application, or to many, closer to what should be.
func (a *msrv) settle(t *agent.Turn, id string) {
	wished := a.wished(id)
	for i := range wished {
		a.reach(t, wished[i].Offer, &wished[i].Spec)
	}
	if a.statuses.Get(id) == nil && !a.statuses.Gone(id) {
		return // its network is yet to come
	}
	keeps := func(key string) bool {
		for i := range wished {
			if wished[i].Offer == key {
				return true
			}
		}
		return false
	}
	for key := range a.offers.Prefixed(id + ".") {
		if !keeps(key) {
			a.reach(t, key, nil)
		}
	}
	for _, key := range a.offer.Keys() {
		if owner(key) == id && key != id && !keeps(key) && a.offers.Get(key) == nil {
			a.reach(t, key, nil)
		}
	}
}

// reach has an offer be served as its spec says; nil: not at all.
func (a *msrv) reach(t *agent.Turn, key string, spec *bridge.OfferSpec) {
	call := a.offer.Get(key)
	if a.serves(key, spec) && (call.Phase == agent.None || call.Over()) {
		a.offer.Drop(key)
		t.Unwake(dueOffer + key)
		return
	}
	call = a.offer.Want(key, bridge.OfferReq{Offer: key, Spec: spec})
	if !call.Over() || call.Fault != nil && !call.Fault.Retry {
		return
	}
	if again := call.Ended + retryAfter; t.Now < again {
		t.WakeAt(dueOffer+key, again)
	} else {
		a.offer.Redo(key)
	}
}

// serves reports whether an offer is seen as it is wished.
func (a *msrv) serves(key string, spec *bridge.OfferSpec) bool {
	seen := a.offers.Get(key)
	if seen == nil || spec == nil {
		return seen == nil && spec == nil
	}
	return bridge.Offers.Equal(seen, &bridge.OfferSeen{Offer: key, Spec: *spec})
}
