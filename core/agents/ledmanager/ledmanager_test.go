package ledmanager_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/ledmanager"
	"github.com/evetwin/evetwin/core/device/led"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

func say(r *rig.Rig, owner string, code node.LedBlinkCount, since time.Duration) {
	rig.Put(r, node.Led.Of(owner), node.LedBlinkCounter{BlinkCounter: code, Since: int64(since)})
}

func addressed(silence bool, addrs ...string) network.DeviceNetworkStatus {
	p := network.NetworkPortStatus{IfName: "eth0", IsMgmt: true}
	for _, a := range addrs {
		p.AddrInfoList = append(p.AddrInfoList, netip.MustParsePrefix(a))
	}
	return network.DeviceNetworkStatus{Ports: []network.NetworkPortStatus{p}, RadioSilence: silence}
}

// light plays the part: it does as asked, and says so.
func light(t *testing.T, r *rig.Rig) int {
	t.Helper()
	r.Step()
	for _, c := range rig.Calls(r, led.Blink) {
		rig.Put(r, led.Light, led.LedSeen{Blinks: c.Req.Blinks})
		rig.Done(r, led.Blink, c.Key, led.None{})
		r.Step()
	}
	seen := rig.Get(r, led.Light, "led")
	shown := rig.Get(r, node.LedShown, "global")
	if seen == nil || shown == nil || int(shown.BlinkCounter) != seen.Blinks {
		t.Fatalf("light %+v, status %+v", seen, shown)
	}
	return seen.Blinks
}

func TestDEV40_LightSaysWhatMattersMost(t *testing.T) {
	r := rig.New(t, "ledmanager", ledmanager.New)
	steps := []struct {
		name string
		do   func()
		want int
	}{
		{"nothing is known", func() {}, 1},
		{"nim waits", func() { say(r, "nim", node.LedWaitingForIP, 1) }, 1},
		{"an address", func() { rig.Put(r, network.DNS, addressed(false, "10.0.0.5/24")) }, 2},
		{"nim connects", func() { say(r, "nim", node.LedConnecting, 2) }, 2},
		{"onboarded", func() { say(r, "zedclient", node.LedOnboarded, 3) }, 4},
		{"a bad signature", func() { say(r, "zedagent", node.LedInvalidAuthContainer, 4) }, 15},
		{"all addresses lost", func() { rig.Put(r, network.DNS, addressed(false)) }, 1},
		{"only a link-local one", func() { rig.Put(r, network.DNS, addressed(false, "fe80::1/64")) }, 1},
		{"radio silence without address", func() { rig.Put(r, network.DNS, addressed(true)) }, 5},
		{"radio silence with address", func() {
			rig.Put(r, network.DNS, addressed(true, "10.0.0.5/24"))
		}, 5},
		{"silence and address end at once", func() { rig.Put(r, network.DNS, addressed(false)) }, 1},
		{"back", func() { rig.Put(r, network.DNS, addressed(false, "10.0.0.5/24")) }, 15},
		{"a good configuration", func() { say(r, "zedagent", node.LedOnboarded, 5) }, 4},
		{"an older word", func() { say(r, "zedclient", node.LedOnboardingFailure, 2) }, 4},
	}
	for _, s := range steps {
		s.do()
		if got := light(t, r); got != s.want {
			t.Fatalf("%s: %d blinks, want %d", s.name, got, s.want)
		}
	}
	rig.Put(r, led.Light, led.LedSeen{Blinks: 0}) // somebody turned it off
	if got := light(t, r); got != 4 {
		t.Errorf("after somebody turned it off: %d blinks", got)
	}
}

func TestBrokenLightIsTriedOnceAMinute(t *testing.T) {
	r := rig.New(t, "ledmanager", ledmanager.New)
	tries := 0
	for range 300 {
		r.Step()
		for _, c := range rig.Calls(r, led.Blink) {
			tries++
			rig.Fail(r, led.Blink, c.Key, agent.Fault{Code: "none", Text: "no light here"})
		}
		r.Advance(time.Second)
	}
	if tries != 5 {
		t.Errorf("%d tries in five minutes", tries)
	}
	if s := rig.Get(r, node.LedShown, "global"); s == nil || s.BlinkCounter != node.LedWaitingForIP {
		t.Errorf("status %+v", s)
	}
}
