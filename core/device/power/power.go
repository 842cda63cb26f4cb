// Package power resets the device and turns it off. Its only caller is nodeagent.
package power

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Req asks for a reset or for power off. Synced disks are the caller's business.
type Req struct{ Off bool }

// None is an empty result.
type None struct{}

// Reset resets the device, or turns it off. The device goes down before it can be done.
var Reset = agent.NewOp[Req, None](agent.OpDecl{Name: "power.Reset", Limit: 2 * time.Minute})
