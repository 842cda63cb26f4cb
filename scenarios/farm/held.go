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
	since map[jetstream.Msg]time.Time // when it was taken, then when its run began
}

// note says that a job was taken, or that its run begins.
func (h *held) note(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since[m] = time.Now()
}

func (h *held) drop(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.since, m)
}

// beat tells the server again and again that the jobs are worked at, but not of a run that takes
// longer than it may, nor of a job that waits behind such a one: another worker gets them.
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
	for m, since := range h.since {
		if now.Sub(since) < h.limit {
			_ = m.InProgress() // one that is lost is made good by the next
		}
	}
}
