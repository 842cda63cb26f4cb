package ledmanager

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/led"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const (
	blinkKey   = "led"
	retryAfter = time.Minute
)

// ledmanager is only its wiring.
type ledmanager struct {
	words *bus.SubFamily[node.LedBlinkCounter]
	net   *bus.Sub[network.DeviceNetworkStatus]
	light *bus.Sub[led.LedSeen]
	shown *bus.Pub[node.LedStatus]
	blink *agent.Calls[led.BlinkReq, led.None]
}

// New attaches ledmanager to its tables and its op.
func New(p bus.Port) agent.Agent {
	return &ledmanager{
		words: bus.SubscribeFamily(p, node.Led),
		net:   bus.Subscribe(p, network.DNS, bus.Optional),
		light: bus.Subscribe(p, led.Light, bus.Optional),
		shown: bus.Publish(p, node.LedShown),
		blink: agent.Use(p, led.Blink),
	}
}

// Step is one turn.
func (a *ledmanager) Step(t *agent.Turn) {
	code := derive(latest(a.words.All()), a.net.Get(entity.Global))
	a.shown.Put(node.LedStatus{BlinkCounter: code})
	a.shown.Complete()
	if seen := a.light.Get(led.LedSeen{}.Key()); seen != nil && seen.Blinks == int(code) {
		a.blink.Drop(blinkKey)
		return
	}
	call := a.blink.Want(blinkKey, led.BlinkReq{Blinks: int(code)})
	if !call.Over() {
		return
	}
	// The light does something else: it failed, or somebody turned it.
	if again := call.Ended + retryAfter; t.Now < again {
		t.WakeAt(blinkKey, again)
	} else {
		a.blink.Redo(blinkKey)
	}
}
