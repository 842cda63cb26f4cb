package zedagentinfo

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/eveapi"
)

// stamp is the time of a message: that of the wall clock, or just behind the message before where
// the clock went a little back. The controller tells by it which of two messages is the newer one.
//
// EVE: stamps with the wall clock as it is.
func (p *pace) stamp(wall time.Time) time.Time {
	if back := p.Told.Sub(wall); back >= 0 && back <= eveapi.LateBy {
		wall = p.Told.Add(time.Microsecond)
	}
	p.Told = wall
	return wall
}

// afresh has all but the device, which has its ticker, told once more when a message from before a
// boot, or from before the clock was set, cannot be under way any more: until then one that comes
// late could pass for the newer one.
//
// EVE: leaves it to the controller what it makes of such a message.
func (a *reporter) afresh(t *agent.Turn, p *pace) {
	if p.Retell == 0 || t.Now < p.Retell {
		return
	}
	p.Retell = 0
	for _, r := range a.reported.All() {
		a.conn.MarkDue(t, item(r.Kind, r.ID), true)
	}
}
