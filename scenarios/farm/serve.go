package farm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/evetwin/evetwin/scenarios/explore"
)

const (
	// fetchLimit is how long one request for jobs waits at the server.
	fetchLimit = 5 * time.Second
	// beats is how many heartbeats fit into the time that a worker may be silent.
	beats = 4
)

// serve takes jobs of an exploration and carries them out, until the context ends. It takes as many
// ahead as it runs, so that nobody waits for the network.
func (w *worker) serve(ctx context.Context, s *Spec,
	run func(j *explore.Job) (*explore.Run, error),
) {
	h := &held{since: map[jetstream.Msg]time.Time{}, limit: s.Limit}
	beating, quiet := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { h.beat(beating, s.AckWait/beats) })
	room := make(chan struct{}, 2*w.o.Jobs)
	var under sync.WaitGroup
	for ctx.Err() == nil {
		n := take(ctx, room)
		if n == 0 {
			break
		}
		got, err := w.fetch(ctx, s, n, func(m jetstream.Msg) {
			h.note(m)
			under.Go(func() {
				w.carry(ctx, s, h, m, run)
				<-room
			})
		})
		for range n - got {
			<-room
		}
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(retryWait):
			}
		}
	}
	ended := make(chan struct{})
	go func() { under.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(grace): // a run that hangs is left behind
	}
	quiet()
	wg.Wait()
}

// take takes all the room there is, at least for one; 0 means that the context ended.
func take(ctx context.Context, room chan struct{}) int {
	select {
	case room <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case room <- struct{}{}:
		default:
			return n
		}
	}
}

// fetch asks for at most n jobs and gives them on as they come.
func (w *worker) fetch(ctx context.Context, s *Spec, n int, each func(m jetstream.Msg),
) (int, error) {
	once, stop := context.WithTimeout(ctx, fetchLimit)
	defer stop()
	cons, err := w.o.Conn.js.Consumer(once, s.jobs(), workers)
	if err != nil {
		return 0, err
	}
	batch, err := cons.Fetch(n, jetstream.FetchContext(once))
	if err != nil {
		return 0, err
	}
	got := 0
	for m := range batch.Messages() {
		got++
		each(m)
	}
	return got, batch.Error()
}

// carry carries one job out: first its result is stored, then it is acknowledged.
func (w *worker) carry(ctx context.Context, s *Spec, h *held, m jetstream.Msg,
	run func(j *explore.Job) (*explore.Run, error),
) {
	defer h.drop(m)
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		_ = m.Nak() // if this does not arrive, another gets the job a little later
		return
	}
	h.note(m)
	r, err := w.result(m, run)
	if err != nil {
		_ = m.Term()
		w.o.Say(fmt.Sprintf("%s: %v", s.Name, err))
		return
	}
	if err := w.deliver(ctx, s, r); err != nil {
		if ctx.Err() == nil {
			w.o.Say(fmt.Sprintf("%s: deliver seed %d: %v", s.Name, r.Seed, err))
		}
		return
	}
	_ = m.Ack() // if this does not arrive, the job is run again and its result is not taken
}

// result makes the run of a job.
func (w *worker) result(m jetstream.Msg, run func(j *explore.Job) (*explore.Run, error),
) (*result, error) {
	var o order
	if err := unpack(m.Data(), &o); err != nil {
		return nil, fmt.Errorf("read a job: %w", err)
	}
	r := &result{Seed: o.Job.Seed, Sum: o.Sum, By: w.id, Given: 1}
	if meta, err := m.Metadata(); err == nil {
		r.Given = meta.NumDelivered
	}
	if r.Given > maxGiven {
		r.Error = fmt.Sprintf("%d workers did not come back with a run of it: it kills them, or does not"+
			" end", r.Given-1)
		return r, nil
	}
	var err error
	if r.Run, err = run(&o.Job); err != nil {
		r.Error = err.Error()
	}
	return r, nil
}

// deliver stores a result, unless there is one of that seed.
func (w *worker) deliver(ctx context.Context, s *Spec, r *result) error {
	b, err := pack(r, maxResult)
	if err != nil {
		r.Run, r.Error = nil, fmt.Sprintf("encode the run: %v", err)
		if b, err = pack(r, maxResult); err != nil {
			return err
		}
	}
	publish := func(ctx context.Context) error {
		_, err := w.o.Conn.js.Publish(ctx, s.resultSubject(r.Seed), b,
			jetstream.WithMsgID(fmt.Sprintf("%s/%d", s.ID, r.Seed)),
			jetstream.WithExpectLastSequencePerSubject(0))
		var api *jetstream.APIError
		if errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
			return nil // another was faster
		}
		return err
	}
	if ctx.Err() != nil { // we are leaving: one try is what there is time for
		once, stop := context.WithTimeout(context.WithoutCancel(ctx), dialLimit)
		defer stop()
		return publish(once)
	}
	return w.o.Conn.persist(ctx, publish)
}
