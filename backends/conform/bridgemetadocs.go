package conform

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
)

func (x *bridgeBench) metaNothing(t *testing.T) {
	x.turn(t, func() {
		if x.offered.Len() != 0 || x.posted.Len() != 0 {
			t.Errorf("%d offers and %d posts after boot", x.offered.Len(), x.posted.Len())
		}
	})
	x.instance(t)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, nil))
	x.apply(t, "vif/"+vifB, vifSpec(macB, ipB, nil))
	x.appears(t, vifA, macA, true, true)
	x.uses(t, vifA, ipA)
	x.appears(t, vifB, macB, true, true)
	x.uses(t, vifB, ipB)
	x.reads(t, vifA, "", "/me", http.StatusNotFound, "")
}

func (x *bridgeBench) metaWrong(t *testing.T) {
	for name, change := range map[string]func(s *bridge.OfferSpec){
		"a/b":  func(*bridge.OfferSpec) {},
		"":     func(*bridge.OfferSpec) {},
		"a b":  func(*bridge.OfferSpec) {},
		"who":  func(s *bridge.OfferSpec) { s.To = 9 },
		"app":  func(s *bridge.OfferSpec) { s.App = "" },
		"addr": func(s *bridge.OfferSpec) { s.Addr = netip.MustParseAddr("fd00::2") },
		"many": func(s *bridge.OfferSpec) { s.To = bridge.ToGuests },
		"path": func(s *bridge.OfferSpec) { s.Documents[0].Path = "me" },
		"form": func(s *bridge.OfferSpec) { s.Documents[0].Path = "/[" },
		"code": func(s *bridge.OfferSpec) { s.Documents[0].Code = 100 },
		"fill": func(s *bridge.OfferSpec) { s.Documents[0].Fill = 9 },
		"kind": func(s *bridge.OfferSpec) { s.Intakes[0].Kind = "" },
		"most": func(s *bridge.OfferSpec) { s.Intakes[0].Limit = bridge.MaxPost + 1 },
	} {
		s := toGuest("a", ipA, page("/me", 200, "A"))
		change(s)
		x.offer.refuses(t, bridge.OfferReq{Offer: name, Spec: s}, bridge.FaultRefused, false)
	}
	x.turn(t, func() {
		if x.offered.Len() != 0 {
			t.Errorf("%d offers", x.offered.Len())
		}
	})
}

func (x *bridgeBench) metaDocument(t *testing.T) {
	x.offers(t, "a", toGuest("app-a", ipA, page("/me", 200, "A\n"), page("/none", 204, ""),
		page("/gone", 403, "no\n")))
	a := x.get(t, vifA, "", "/me")
	if a != (BridgeAnswer{Code: 200, Type: "text/plain", Body: "A\n"}) {
		t.Errorf("answered %+v", a)
	}
	x.reads(t, vifA, "", "/none", http.StatusNoContent, "")
	x.reads(t, vifA, "", "/gone", http.StatusForbidden, "")
}

func (x *bridgeBench) metaAgain(t *testing.T) {
	var was uint64
	same := func() *bridge.OfferSpec { return toGuest("app-a", ipA, page("/me", 200, "A2\n")) }
	x.offers(t, "a", same())
	x.turn(t, func() { was = x.offered.Rev("a") })
	x.offers(t, "a", same())
	x.turn(t, func() {
		if x.offered.Rev("a") != was {
			t.Error("the same offer put a row")
		}
	})
	x.reads(t, vifA, "", "/me", 200, "A2\n")
	x.reads(t, vifA, "", "/none", http.StatusNotFound, "")
}

func (x *bridgeBench) metaWho(t *testing.T) {
	x.offers(t, "b", toGuest("app-b", ipB, page("/me", 200, "B\n")))
	elsewhere := toGuest("app-c", "10.1.0.77", page("/me", 200, "C\n"))
	elsewhere.Bridge = "bn2"
	x.offers(t, "c", elsewhere)
	x.offers(t, "else", toMany(bridge.ToStrangers, page("/me", 404, "who?\n"),
		page("/else", 200, "stranger\n")))
	x.reads(t, vifA, "", "/me", 200, "A2\n")
	x.reads(t, vifB, "", "/me", 200, "B\n")
	x.reads(t, vifB, "10.1.0.77", "/me", http.StatusNotFound, "") // of another bridge
	x.uses(t, vifB, "10.1.0.77")
	x.reads(t, vifB, "10.1.0.77", "/else", 200, "stranger\n")
	x.reads(t, vifA, "", "/else", http.StatusNotFound, "")
}

func (x *bridgeBench) metaMany(t *testing.T) {
	x.offers(t, "all", toMany(bridge.ToGuests, page("/me", 200, "all\n"),
		page("/news", 200, "news\n"), page("/any/*/x", 200, "any\n")))
	x.reads(t, vifA, "", "/me", 200, "A2\n")
	x.reads(t, vifA, "", "/news", 200, "news\n")
	x.reads(t, vifB, "", "/news/", 200, "news\n")
	x.reads(t, vifB, "10.1.0.77", "/news", http.StatusNotFound, "")
	for path, code := range map[string]int{"/any/1/x": 200, "/any/x": 404, "/any/1/2/x": 404,
		"/any/1/y": 404} {
		x.reads(t, vifA, "", path, code, "any\n")
	}
}

func (x *bridgeBench) metaMethods(t *testing.T) {
	for _, q := range []struct {
		method, path string
		code         int
		allow        string
	}{{"POST", "/me", 405, "GET, HEAD"}, {"DELETE", "/news", 405, "GET, HEAD"},
		{"HEAD", "/me", 200, ""}, {"GET", "/in", 405, "POST"}, {"PUT", "/in", 405, "POST"},
		{"POST", "/nowhere", 404, ""}} {
		a := x.asks(t, vifA, "", BridgeRequest{Method: q.method, Path: q.path})
		if a.Code != q.code || a.Allow != q.allow || q.method == "HEAD" && a.Body != "" {
			t.Errorf("%s %s: %+v, want %d and %q", q.method, q.path, a, q.code, q.allow)
		}
	}
}

func (x *bridgeBench) metaRules(t *testing.T) {
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, []bridge.Rule{{RuleID: 1, Drop: true}}))
	x.reads(t, vifA, "", "/me", 200, "A2\n")
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, nil))
}

func (x *bridgeBench) metaSecrets(t *testing.T) {
	cloud := "#cloud-config\nssh_authorized_keys:\n - ssh-ed25519 AAAA me\nruncmd: [ls]\n"
	text := base64.StdEncoding.EncodeToString([]byte(cloud))
	filled := func(path, secret string, f bridge.Fill) bridge.Document {
		return bridge.Document{Path: path, Code: 200, Type: "text/yaml", Body: `{"uuid":"u"}`,
			Secret: secret, Fill: f}
	}
	x.offers(t, "b", toGuest("app-b", ipB, filled("/data", text, bridge.FillText),
		filled("/keys", text, bridge.FillKeys), filled("/bad", "%", bridge.FillText),
		filled("/lost", "config:app-b:userData:beef", bridge.FillText),
		filled("/plain", base64.StdEncoding.EncodeToString([]byte("#!/bin/sh: [")), bridge.FillKeys),
		filled("/empty", "", bridge.FillText)))
	x.reads(t, vifB, "", "/data", 200, cloud)
	x.reads(t, vifB, "", "/keys", 200, `{"keys":[{"data":"ssh-ed25519 AAAA me\n","type":"ssh",`+
		`"name":"key-0"}],"public_keys":{"key-0":"ssh-ed25519 AAAA me\n"},"uuid":"u"}`)
	x.reads(t, vifB, "", "/plain", 200, `{"keys":[],"public_keys":{},"uuid":"u"}`)
	x.reads(t, vifB, "", "/empty", 200, "")
	x.reads(t, vifB, "", "/bad", http.StatusInternalServerError, "")
	x.reads(t, vifB, "", "/lost", http.StatusServiceUnavailable, "")
}
