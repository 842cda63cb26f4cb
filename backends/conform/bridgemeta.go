package conform

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
)

// BridgeRequest is a request of a guest to the metadata service.
type BridgeRequest struct {
	Method, Path string
	Type         string // content type of the body
	Body         string
	// Brief says that no answer is expected: nobody waits long for a connection.
	Brief bool
}

// BridgeAnswer is the answer to it; Code 0: there is none.
type BridgeAnswer struct {
	Code              int
	Type, Allow, Body string
}

// get reads a document as the guest of an interface; from is an address that it takes beside its
// own, empty: its own.
func (x *bridgeBench) get(t *testing.T, vif, from, path string) BridgeAnswer {
	t.Helper()
	return x.asks(t, vif, from, BridgeRequest{Method: http.MethodGet, Path: path})
}

func (x *bridgeBench) asks(t *testing.T, vif, from string, r BridgeRequest) BridgeAnswer {
	t.Helper()
	var at netip.Addr
	if from != "" {
		at = netip.MustParseAddr(from)
	}
	return x.Ask(func(f func()) { x.outside(t, f) }, vif, at, r)
}

// reads wants a document to be answered in a way.
func (x *bridgeBench) reads(t *testing.T, vif, from, path string, code int, body string) {
	t.Helper()
	if a := x.get(t, vif, from, path); a.Code != code || code < 300 && a.Body != body {
		t.Errorf("%s from %s %s: %d %q, want %d %q", path, vif, from, a.Code, a.Body, code, body)
	}
}

// posts wants a post of JSON to be answered with a code.
func (x *bridgeBench) posts(t *testing.T, vif, from, body string, code int) {
	t.Helper()
	a := x.asks(t, vif, from, BridgeRequest{Method: http.MethodPost, Path: "/in",
		Type: "application/json", Body: body})
	if a.Code != code {
		t.Errorf("a post of %d bytes from %s %s: %d, want %d", len(body), vif, from, a.Code, code)
	}
}

// offers makes an offer and wants it seen in the turn that brings the outcome; nil withdraws it.
func (x *bridgeBench) offers(t *testing.T, name string, s *bridge.OfferSpec) {
	t.Helper()
	x.offer.does(t, bridge.OfferReq{Offer: name, Spec: s}, func() {
		row := x.offered.Get(name)
		if (row == nil) != (s == nil) || s != nil && specText(row.Spec) != specText(*s) {
			t.Errorf("offer %s is made and seen as %+v", name, row)
		}
	})
}

// page is a document of text.
func page(path string, code int, body string) bridge.Document {
	return bridge.Document{Path: path, Code: code, Type: "text/plain", Body: body}
}

// toGuest is an offer to the guest of an address on bn1, which may post, too.
func toGuest(app, ip string, docs ...bridge.Document) *bridge.OfferSpec {
	return &bridge.OfferSpec{Bridge: brName, Addr: netip.MustParseAddr(ip), App: app,
		Documents: docs, Intakes: intakes()}
}

func toMany(to bridge.Audience, docs ...bridge.Document) *bridge.OfferSpec {
	return &bridge.OfferSpec{To: to, Documents: docs, Intakes: intakes()}
}

func intakes() []bridge.Intake {
	return []bridge.Intake{{Path: "/in", Kind: "status", Type: "application/json",
		Limit: bridge.MaxPost}}
}

// bridgeMetaCases are those of the metadata service.
func bridgeMetaCases() []Case[*bridgeBench] {
	return []Case[*bridgeBench]{
		{Name: "nothing is offered", Run: (*bridgeBench).metaNothing,
			Clause: "a path without a document is answered 404"},
		{Name: "wrong offers", Run: (*bridgeBench).metaWrong,
			Clause: "what makes no sense: FaultRefused, and nothing changes"},
		{Name: "a document", Run: (*bridgeBench).metaDocument,
			Clause: "a request is answered by the first document whose path matches it"},
		{Name: "again", Run: (*bridgeBench).metaAgain,
			Clause: "doing what is done already is a success that changes nothing"},
		{Name: "who asks", Run: (*bridgeBench).metaWho,
			Clause: "who asks is told by the bridge and the address a request comes from"},
		{Name: "many", Run: (*bridgeBench).metaMany,
			Clause: "then of the offer to all known guests; a segment * is any one segment"},
		{Name: "methods", Run: (*bridgeBench).metaMethods,
			Clause: "a method that a path does not have is answered 405"},
		{Name: "rules", Run: (*bridgeBench).metaRules,
			Clause: "access rules do not keep guests from the service"},
		{Name: "secrets", Run: (*bridgeBench).metaSecrets,
			Clause: "the part resolves secrets: 503 while one is not known, 500 if it is not base64"},
		{Name: "posts", Run: (*bridgeBench).metaPosts,
			Clause: "another content type: 415, more bytes: 500, a stranger: 204"},
		{Name: "too many posts", Run: (*bridgeBench).metaTooMany, Clause: "one too soon: 429"},
		{Name: "withdrawn", Run: (*bridgeBench).metaWithdrawn,
			Clause: "what was posted goes with the last offer to a guest of the application"},
		{Name: "outside", Run: (*bridgeBench).metaOutside,
			Clause: "nobody but guests of a bridge reaches the service"},
		{Name: "unplugged", Run: (*bridgeBench).metaUnplugged,
			Clause: "while an interface is not Up, nothing passes"},
		{Name: "a bridge without an IPv4 address", Run: (*bridgeBench).metaAddress,
			Clause: "guests of a bridge that has an IPv4 address find documents"},
		{Name: "the bridge is taken away", Run: (*bridgeBench).metaBridge,
			Clause: "an offer for a bridge that is not there waits for it"},
		{Name: "a power cut", Run: (*bridgeBench).metaPower, Clause: "offers go with the power"},
	}
}
