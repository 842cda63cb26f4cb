package nodeagent

import (
	"strconv"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

// watchReach reboots the device when the controller was out of reach for too long: into the image
// before while an update is being tried. It counts time since boot, so that a jump of the wall
// clock does nothing.
func (a *nodeagent) watchReach(t *agent.Turn, updating bool) {
	id := a.identity.Get(entity.Global)
	if id == nil || id.DeviceUUID == "" {
		return
	}
	now := reach{InReach: a.inReach()}
	old := a.reaches.Get("reach")
	if !now.InReach {
		now.Lost = t.Now
		if old != nil && !old.InReach {
			now.Lost = old.Lost
		}
	}
	a.reaches.Put(now)
	if now.InReach {
		t.Unwake("reach")
		return
	}
	item, reason := config.RebootNoNetwork, node.BootReasonDisconnect
	if updating {
		item, reason = config.FallbackNoNetwork, node.BootReasonFallback
	}
	limit := a.items.Get(entity.Global).Seconds(item)
	if at := now.Lost + limit; t.Now < at {
		t.WakeAt("reach", at)
		return
	}
	a.begin(t, operation{Kind: kindReboot, At: t.Now, Reason: reason,
		Text: "Exceeded outage for controller connectivity of " +
			strconv.Itoa(int(limit.Seconds())) + " seconds"})
}

// inReach reports whether the last request for a configuration reached the controller, or failed
// for a reason that is the controller's.
func (a *nodeagent) inReach() bool {
	z := a.zedagent.Get("zedagent")
	return z != nil && (z.ConfigGetStatus == node.ConfigGetSuccess ||
		z.ConfigGetStatus == node.ConfigGetTemporaryFail)
}
