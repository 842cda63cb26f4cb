package farm

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// held are the jobs that a worker has and has not finished.
type held struct {
	limit time.Duration
	mu    sync.Mutex
	list  map[jetstream.Msg]time.Time // when the run began, zero if it has not
}

func (h *held) add(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list[m] = time.Time{}
}

func (h *held) started(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list[m] = time.Now()
}

func (h *held) drop(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.list, m)
}

// beat tells the server again and again that the jobs are worked at, but not of a run that takes
// longer than it may: another worker gets that job.
func (h *held) beat(ctx context.Context, every time.Duration) {
	t := time.NewTicker(max(every, time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			h.tell(now)
		}
	}
}

func (h *held) tell(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for m, began := range h.list {
		if began.IsZero() || now.Sub(began) < h.limit {
			_ = m.InProgress() // one that is lost is made good by the next
		}
	}
}
