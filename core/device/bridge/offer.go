package bridge

import (
	"net/netip"
	"path"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// The metadata service: guests of a bridge that has an IPv4 address find documents about themselves
// at MetadataAddr, port MetadataPort, by HTTP, and may post some. Access rules do not keep them
// from it, and nobody else reaches it. Who asks is told by the bridge and the address a request
// comes from. What is served is offered by msrv, the only caller of Offer; it does not depend on
// the items of zedrouter: an offer for a bridge or a guest that is not there waits for them.
//
// A request is answered by the first document whose path matches it: of the offer to that guest,
// then of the one to all known guests; of the one to strangers, if there is no offer to that guest.
// A path without a document is answered 404, a method that a path does not have 405.

// MetadataPort is where guests find the service.
const MetadataPort = 80

// MetadataAddr is the address of the metadata service.
func MetadataAddr() netip.Addr { return netip.AddrFrom4([4]byte{169, 254, 169, 254}) }

// Audience says who an offer is for.
type Audience uint8

// Audiences.
const (
	ToGuest     Audience = iota // whoever has Addr on Bridge
	ToGuests                    // everybody who has an offer of one's own
	ToStrangers                 // everybody else
)

// Fill says how the body of a document is made.
type Fill uint8

// Ways to make a body. The secret of a document is base64, or a reference to it (package
// eveapi/secret): the answer is 503 while a reference is not known, and 500 if the secret is not
// base64.
const (
	FillNone Fill = iota // it is Body
	FillText             // it is the secret, decoded
	// FillKeys adds to Body, a JSON object, as "keys" and "public_keys" the SSH keys that the secret,
	// a cloud-config, authorizes.
	FillKeys
)

// Document is what is answered to GET and HEAD.
type Document struct {
	Path   string // absolute; a segment "*" stands for any one segment
	Code   int    // of the answer, such as 200
	Type   string // content type; empty: none
	Body   string
	Secret string
	Fill   Fill
}

// Intake is a path that takes what guests post. A post of another content type is answered 415, of
// more bytes 500, of a stranger 204, and one that comes too soon 429: a guest may post PostBurst
// times at once and then once in PostEvery.
type Intake struct {
	Path  string
	Kind  string // of what is posted: a short name, part of the key of its row
	Type  string // content type that a post must have
	Limit int    // bytes, MaxPost at most
}

// How often a guest may post.
const (
	PostEvery = time.Second
	PostBurst = 10
)

// MaxPost bounds the bytes of a post.
const MaxPost = 32 << 10

// OfferSpec is what an audience is served.
type OfferSpec struct {
	To        Audience
	Bridge    string     // of ToGuest only, as Addr and App
	Addr      netip.Addr // IPv4
	App       string     // UUID
	Documents []Document
	Intakes   []Intake
}

// OfferSeen is an offer as applied.
type OfferSeen struct {
	Offer string
	Spec  OfferSpec
}

// Key is the offer's.
func (o OfferSeen) Key() string { return o.Offer }

// Offers is the topic of applied offers.
var Offers = bus.NewTopic[OfferSeen](bus.Decl{
	Owner: "bridge", Name: "OfferSeen", MaxRows: MaxItems, MaxBytes: 256 << 10, MaxPuts: 1000})

// PostSeen is what the guests of an application posted last of a kind. It goes with the last offer
// to a guest of the application, and with the power.
type PostSeen struct {
	App  string
	Kind string
	Body []byte
}

// Key is application and kind.
func (p PostSeen) Key() string { return p.App + "." + p.Kind }

// Posts is the topic of what guests posted.
var Posts = bus.NewTopic[PostSeen](bus.Decl{Owner: "bridge", Name: "PostSeen", MaxRows: 4000})

// OfferReq makes an offer be as its spec says; nil withdraws it.
type OfferReq struct {
	Offer string
	Spec  *OfferSpec
}

// Offer tells the metadata service what to serve.
var Offer = agent.NewOp[OfferReq, None](agent.OpDecl{
	Name: "bridge.Offer", Class: "bridge.offer", Limit: 10 * time.Second, Width: 4})

// SaneOffer says what is wrong with an offer; empty if nothing is. Every backend refuses what it
// refuses.
func SaneOffer(q *OfferReq) string {
	s := q.Spec
	switch {
	case q.Offer == "" || len(q.Offer) > 200 || strings.ContainsAny(q.Offer, "/ \t\n"):
		return "an offer needs a name, without a slash or a space"
	case s == nil:
		return ""
	case s.To > ToStrangers:
		return "nobody is of the audience"
	case s.To == ToGuest && (s.Bridge == "" || s.App == "" || !s.Addr.Is4()):
		return "an offer to a guest needs a bridge, an IPv4 address and an application"
	case s.To != ToGuest && (s.Bridge != "" || s.App != "" || s.Addr.IsValid()):
		return "an offer to many names a guest"
	}
	for i := range s.Documents {
		d := &s.Documents[i]
		if !sanePath(d.Path) || d.Code < 200 || d.Code > 599 || d.Fill > FillKeys {
			return "the document " + d.Path + " makes no sense"
		}
	}
	for i := range s.Intakes {
		n := &s.Intakes[i]
		if !sanePath(n.Path) || n.Kind == "" || strings.ContainsAny(n.Kind, "/.") ||
			n.Limit < 1 || n.Limit > MaxPost {
			return "the intake " + n.Path + " makes no sense"
		}
	}
	return ""
}

func sanePath(p string) bool {
	_, err := path.Match(p, "")
	return err == nil && strings.HasPrefix(p, "/")
}
