package metadata

import (
	"net/http"
	"net/netip"
	"path"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Desk is the metadata service of a device for one boot. Its rows are the offers and the posts.
type Desk struct {
	pt     *host.Part
	keeper *secret.Keeper
	offers *bus.Pub[device.OfferSeen]
	posts  *bus.Pub[device.PostSeen]
	paid   map[string]time.Duration // by application: since boot, up to when its posts are paid for
}

// New opens the desk of a boot and publishes its topics. Without a keeper no reference is known.
func New(pt *host.Part, k *secret.Keeper) *Desk {
	if k == nil {
		k = secret.New(nil)
	}
	return &Desk{pt: pt, keeper: k, offers: bus.Publish(pt, device.Offers),
		posts: bus.Publish(pt, device.Posts), paid: map[string]time.Duration{}}
}

// Complete declares that there are no other offers than those that were adopted.
func (d *Desk) Complete() {
	d.offers.Complete()
	d.posts.Complete()
}

// Apply puts an offer in force, or withdraws it. It must be a sane one.
func (d *Desk) Apply(q *device.OfferReq) {
	old := d.offers.Get(q.Offer)
	if q.Spec != nil {
		d.offers.Put(device.OfferSeen{Offer: q.Offer, Spec: *q.Spec})
	} else {
		d.offers.Delete(q.Offer)
	}
	if old != nil && old.Spec.App != "" && !d.knows(old.Spec.App) {
		d.forget(old.Spec.App)
	}
}

// knows reports whether there is an offer to a guest of an application.
func (d *Desk) knows(app string) bool {
	for _, o := range d.offers.All() {
		if o.Spec.App == app {
			return true
		}
	}
	return false
}

// forget drops what an application posted.
func (d *Desk) forget(app string) {
	delete(d.paid, app)
	var keys []string
	for key := range d.posts.Prefixed(app + ".") {
		keys = append(keys, key)
	}
	for _, key := range keys {
		d.posts.Delete(key)
	}
}

// Request is a request of a guest.
type Request struct {
	Bridge string
	From   netip.Addr
	Method string
	Path   string
	Type   string // content type of the body
	Body   []byte // no more than one byte beyond device.MaxPost is needed
}

// Answer is the answer to a request.
type Answer struct {
	Code  int
	Type  string // content type, empty for none
	Allow string // methods that the path has, if the request's is none of them
	Body  []byte
}

// Answer answers a request. In a step of the part.
func (d *Desk) Answer(q Request) Answer {
	if len(q.Path) > 1 {
		q.Path = strings.TrimSuffix(q.Path, "/")
	}
	mine := d.find(func(s *device.OfferSpec) bool {
		return s.To == device.ToGuest && s.Bridge == q.Bridge && s.Addr == q.From
	})
	app, list := "", []*device.OfferSpec{d.find(to(device.ToStrangers))}
	if mine != nil {
		app, list = mine.App, []*device.OfferSpec{mine, d.find(to(device.ToGuests))}
	}
	for _, s := range list {
		if s == nil {
			continue
		}
		for i := range s.Documents {
			if leads(s.Documents[i].Path, q.Path) {
				return d.read(&s.Documents[i], &q)
			}
		}
		for i := range s.Intakes {
			if leads(s.Intakes[i].Path, q.Path) {
				return d.take(app, &s.Intakes[i], &q)
			}
		}
	}
	return plain(http.StatusNotFound)
}

func to(a device.Audience) func(*device.OfferSpec) bool {
	return func(s *device.OfferSpec) bool { return s.To == a }
}

// find is the first offer of which something holds; nil if there is none.
func (d *Desk) find(holds func(*device.OfferSpec) bool) *device.OfferSpec {
	for _, o := range d.offers.All() {
		if holds(&o.Spec) {
			return &o.Spec
		}
	}
	return nil
}

// leads reports whether a path is one that a pattern stands for.
func leads(pattern, p string) bool {
	ok, err := path.Match(pattern, p)
	return ok && err == nil
}

// plain is an answer that says no more than its code does.
func plain(code int) Answer {
	if code == http.StatusOK || code == http.StatusNoContent {
		return Answer{Code: code}
	}
	return Answer{Code: code, Type: "text/plain; charset=utf-8",
		Body: []byte(http.StatusText(code) + "\n")}
}

func wrongMethod(allow string) Answer {
	a := plain(http.StatusMethodNotAllowed)
	a.Allow = allow
	return a
}
