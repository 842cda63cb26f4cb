// Package led is the status light. Its only caller is ledmanager.
package led

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// LedSeen is what the light does: Blinks times 200 ms on and 200 ms off, then 1200 ms off, again
// and again.
type LedSeen struct{ Blinks int }

// Key is "led".
func (LedSeen) Key() string { return "led" }

// Light is the topic of the light.
var Light = bus.NewTopic[LedSeen](bus.Decl{Owner: "led", Name: "LedSeen"})

// BlinkReq asks for a number of blinks; 0 turns it off.
type BlinkReq struct{ Blinks int }

// None is an empty result.
type None struct{}

// Blink sets the pattern; it goes on until another is set.
var Blink = agent.NewOp[BlinkReq, None](agent.OpDecl{Name: "led.Blink", Limit: 5 * time.Second})

// FaultFailed says that the light does not take it; it sets Retry.
const FaultFailed = "failed"
