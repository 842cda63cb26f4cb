package zedrouter

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// A turn looks at all objects, since any may stand in another's way. With many it would do little
// else while their items come up one by one, so that news are gathered first: at most for as long
// as it takes at gatherEach per object, and not at all up to gatherFrom objects.
const (
	gatherFrom = 100
	gatherEach = time.Millisecond
)

// gathers reports whether a turn leaves the news to one that comes soon. The time of that follows
// from the clock and the number of objects alone, so that nothing has to be remembered.
func (z *zedrouter) gathers(t *agent.Turn) bool {
	n := max(z.instances.Len(), z.status.Len()) + max(z.apps.Len(), z.appStatus.Len())
	if n <= gatherFrom {
		return false
	}
	every := time.Duration(n) * gatherEach
	begun := t.Now.Truncate(every)
	if begun == t.Now {
		return false
	}
	t.WakeAt("gather", begun+every)
	return true
}
