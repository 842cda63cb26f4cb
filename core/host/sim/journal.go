package sim

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/host"
)

// journal is what the persistent rows of a device look like on its disk.
type journal struct {
	kept    map[string]host.Stored
	pending []writing
}

type writing struct {
	rec *host.Record
	at  time.Duration // when it is durable
}

// write begins a record.
func (j *journal) write(r *host.Record, now, at time.Duration) {
	j.settle(now)
	j.pending = append(j.pending, writing{r, at})
}

// settle applies what is durable by now.
func (j *journal) settle(now time.Duration) {
	sort.SliceStable(j.pending, func(a, b int) bool { return j.pending[a].at < j.pending[b].at })
	n := 0
	for _, w := range j.pending {
		if w.at > now {
			break
		}
		j.apply(w.rec)
		n++
	}
	j.pending = append(j.pending[:0:0], j.pending[n:]...)
}

func (j *journal) apply(r *host.Record) {
	if j.kept == nil {
		j.kept = map[string]host.Stored{}
	}
	for _, s := range r.Rows {
		id := s.Topic + "\x00" + s.Key
		if s.Val == nil {
			delete(j.kept, id)
		} else {
			j.kept[id] = s
		}
	}
}

// cut ends all writing: a record under way is there whole or not at all.
func (j *journal) cut(now time.Duration, draw func(string) uint64) {
	j.settle(now)
	for i, w := range j.pending {
		if draw("journal/"+strconv.Itoa(i))%2 == 0 {
			j.apply(w.rec)
		}
	}
	j.pending = nil
}

// rows are the stored rows in a fixed order.
func (j *journal) rows() []host.Stored {
	return slices.SortedFunc(maps.Values(j.kept), func(a, b host.Stored) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Key, b.Key))
	})
}
