package zedrouter

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// A turn looks at all objects, since any may stand in another's way. With many it would do little
// else while their items come up one by one, so that news are gathered first: for a millisecond per
// object and item, up to twice that, and not at all up to gatherFrom of them.
const (
	gatherFrom = 200
	gatherEach = time.Millisecond
)

// gathers reports whether a turn leaves the news to one that comes soon. The time of that follows
// from the clock and the number of objects alone, so that nothing has to be remembered.
func (z *zedrouter) gathers(t *agent.Turn) bool {
	n := z.instances.Len() + z.apps.Len() + z.items.Len() // none of which the turn itself changes
	if n <= gatherFrom {
		return false
	}
	every := gatherTime(n)
	begun := t.Now.Truncate(every)
	if begun == t.Now {
		return false
	}
	t.WakeAt("gather", begun+every)
	return true
}

// gatherTime is the time between two looks at n objects. It doubles now and then instead of growing
// with each object, or the next look would be put off with each.
func gatherTime(n int) time.Duration {
	every := gatherEach
	for every < time.Duration(n)*gatherEach {
		every *= 2
	}
	return every
}
