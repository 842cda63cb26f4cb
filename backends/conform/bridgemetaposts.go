package conform

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
)

// told wants the row of what an application posted to say so; empty: there is none.
func (x *bridgeBench) told(t *testing.T, app, want string) {
	t.Helper()
	x.turn(t, func() {
		got := ""
		if p := x.posted.Get(bridge.PostSeen{App: app, Kind: "status"}.Key()); p != nil {
			got = string(p.Body)
		}
		if got != want {
			t.Errorf("%s posted %.40q, want %.40q", app, got, want)
		}
	})
}

func (x *bridgeBench) metaPosts(t *testing.T) {
	largest := strings.Repeat("x", bridge.MaxPost)
	for kind, code := range map[string]int{"": 415, "text/plain": 415, "application/jsonx": 415,
		"application/json; charset=utf-8": 200} {
		a := x.asks(t, vifA, "", BridgeRequest{Method: "POST", Path: "/in", Type: kind, Body: "{}"})
		if a.Code != code {
			t.Errorf("a post of type %q: %d, want %d", kind, a.Code, code)
		}
	}
	x.posts(t, vifA, "", largest+"x", http.StatusInternalServerError)
	x.posts(t, vifA, "10.1.0.88", `{"i":"am A"}`, http.StatusNoContent)
	x.uses(t, vifA, "10.1.0.88")
	x.told(t, "app-a", "{}")
	x.posts(t, vifA, "", largest, http.StatusOK)
	x.told(t, "app-a", largest)
	x.posts(t, vifB, "", `{"b":1}`, http.StatusOK)
	x.posts(t, vifA, "", "\x00\xff", http.StatusOK)
	x.told(t, "app-a", "\x00\xff")
	x.told(t, "app-b", `{"b":1}`)
}

func (x *bridgeBench) metaTooMany(t *testing.T) {
	codes := map[int]int{}
	for range 3 * bridge.PostBurst {
		a := x.asks(t, vifB, "", BridgeRequest{Method: "POST", Path: "/in", Type: "application/json",
			Body: `{"b":1}`})
		codes[a.Code]++
	}
	if codes[200] < 1 || codes[429] < bridge.PostBurst || len(codes) != 2 {
		t.Errorf("answers by code: %v", codes)
	}
}

func (x *bridgeBench) metaWithdrawn(t *testing.T) {
	for range 2 {
		x.offers(t, "b", nil)
	}
	x.reads(t, vifB, "", "/news", http.StatusNotFound, "")
	x.reads(t, vifB, "", "/else", 200, "stranger\n")
	x.told(t, "app-b", "")
	x.told(t, "app-a", "\x00\xff")
}

func (x *bridgeBench) metaOutside(t *testing.T) {
	if x.Outside() {
		t.Error("somebody outside reaches the metadata service")
	}
}

// silent wants that a guest gets no answer at all.
func (x *bridgeBench) silent(t *testing.T, vif string) {
	t.Helper()
	a := x.asks(t, vif, "", BridgeRequest{Method: http.MethodGet, Path: "/me", Brief: true})
	if a.Code != 0 {
		t.Errorf("the guest of %s is answered %+v", vif, a)
	}
}

func (x *bridgeBench) metaUnplugged(t *testing.T) {
	s := vifSpec(macA, ipA, nil)
	s.Vif.Up = false
	x.apply(t, "vif/"+vifA, s)
	x.attaches(t, vifA, false)
	x.silent(t, vifA)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, nil))
	x.attaches(t, vifA, true)
	x.reads(t, vifA, "", "/me", 200, "A2\n")
}

func (x *bridgeBench) metaAddress(t *testing.T) {
	for _, item := range []string{"vif/" + vifB, "service/bn1", "nat/bn1"} {
		x.drop(t, item)
	}
	for _, addr := range []string{"", "fd00:1::1/64", "10.1.0.1/24"} {
		x.drop(t, "vif/"+vifA)
		s := brSpec()
		s.Bridge.Addr = netip.Prefix{}
		if addr != "" {
			s.Bridge.Addr = netip.MustParsePrefix(addr)
		}
		x.apply(t, "bridge/bn1", s)
		x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, nil))
		x.attaches(t, vifA, true)
		if s.Bridge.Addr.Addr().Is4() {
			x.reads(t, vifA, "", "/me", 200, "A2\n")
		} else {
			x.silent(t, vifA)
		}
	}
}

func (x *bridgeBench) metaBridge(t *testing.T) {
	x.meddles(t, "bridge/bn1", "bridge/bn1", "vif/"+vifA)
	x.turn(t, func() {
		if x.offered.Get("a") == nil {
			t.Error("the offer went with the bridge")
		}
	})
	x.apply(t, "bridge/bn1", brSpec())
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, nil))
	x.attaches(t, vifA, true)
	x.reads(t, vifA, "", "/me", 200, "A2\n")
}

func (x *bridgeBench) metaPower(t *testing.T) {
	x.cycle(t)
	x.booted(t)
	x.until(t, "complete offers", func() bool { return x.offered.Complete() && x.posted.Complete() })
	x.turn(t, func() {
		if x.offered.Len() != 0 || x.posted.Len() != 0 {
			t.Error(fmt.Sprint(x.offered.Len(), " offers and ", x.posted.Len(), " posts after a cut"))
		}
	})
}
