package farm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/evetwin/evetwin/scenarios/explore"
)

// Defaults of an exploration.
const (
	// AckWait is how long a worker may be silent before its jobs are given to another.
	AckWait = 20 * time.Second
	// RunLimit is how long one run may take, in real time, before its job is given to another.
	RunLimit = 10 * time.Minute
)

// answerLimit is how long a coordinator may take to say that it is there.
const answerLimit = time.Second

// Options of a crew.
type Options struct {
	Conn *Conn
	// Spec says what is explored. AckWait and Limit may be 0: the defaults.
	Spec Spec
	// Stay: the exploration stays on the server when it is left before its end, so that another
	// coordinator of the same name goes on with it.
	Stay bool
	// Jobs is how many worlds this process runs beside coordinating; Carry as in WorkerOptions.
	Jobs  int
	Carry Carry
	// OnWorker is told how many workers have delivered a run, when another has; may be nil.
	OnWorker func(n int)
	// Say is told what people should know; may be nil.
	Say func(text string)
}

// Crew has the workers of a farm carry out jobs: the coordinator's end.
type Crew struct {
	o       Options
	spec    *Spec
	results jetstream.Stream
	found   uint64 // the last result that was there when we came
	subs    []*nats.Subscription

	mu      sync.Mutex
	pending map[uint64]*order
	done    map[uint64]struct{}
	early   map[uint64]*result // of jobs that nobody asked for yet
	closed  bool               // no more jobs come
	workers map[string]struct{}
	again   uint64
	moved   time.Time // when a result came last
}

var _ explore.Crew = (*Crew)(nil)

// Begin announces an exploration, or goes on with one that its coordinator has left.
func Begin(ctx context.Context, o Options) (*Crew, error) {
	c := &Crew{o: o, spec: &o.Spec, pending: map[uint64]*order{}, done: map[uint64]struct{}{},
		early: map[uint64]*result{}, workers: map[string]struct{}{}, moved: time.Now()}
	if c.o.Say == nil {
		c.o.Say = func(string) {}
	}
	if c.o.OnWorker == nil {
		c.o.OnWorker = func(int) {}
	}
	if c.spec.AckWait == 0 {
		c.spec.AckWait = AckWait
	}
	if c.spec.Limit == 0 {
		c.spec.Limit = RunLimit
	}
	ctx, stop := o.Conn.bind(ctx)
	defer stop()
	if err := c.begin(ctx); err != nil {
		c.unsubscribe()
		return nil, fmt.Errorf("explore %s as %s on the farm at %s: %w", c.spec.Scenario, c.spec.Name,
			o.Conn, err)
	}
	return c, nil
}

func (c *Crew) begin(ctx context.Context) error {
	if err := CheckName(c.spec.Name); err != nil {
		return err
	}
	nc := c.o.Conn.nc
	ask, stop := context.WithTimeout(ctx, dialLimit)
	defer stop()
	for free := false; !free; {
		_, err := nc.Request(c.spec.aliveSubject(), nil, answerLimit)
		switch {
		case err == nil:
			return errors.New("another coordinator is at work by that name")
		case errors.Is(err, nats.ErrNoResponders):
			free = true
		case !errors.Is(err, nats.ErrTimeout) || ask.Err() != nil:
			return err // else the server did not know yet that the other is gone
		}
	}
	alive, err := nc.Subscribe(c.spec.aliveSubject(), func(m *nats.Msg) { _ = m.Respond(nil) })
	if err != nil {
		return err
	}
	c.subs = append(c.subs, alive)
	greeted, err := nc.Subscribe(c.spec.helloSubject(), c.greeted)
	if err != nil {
		return err
	}
	c.subs = append(c.subs, greeted)
	if err := nc.FlushWithContext(ask); err != nil {
		return err
	}
	if err := c.spec.announce(ask, c.o.Conn.js); err != nil {
		return err
	}
	if c.results, err = c.o.Conn.js.Stream(ask, c.spec.results()); err != nil {
		return err
	}
	state := c.results.CachedInfo().State
	c.found = state.LastSeq
	if state.Msgs > 0 {
		c.o.Say(fmt.Sprintf("going on with %s: %d results are there", c.spec.Name, state.Msgs))
	}
	return nil
}

// greeted hears a worker that begins or refuses.
func (c *Crew) greeted(m *nats.Msg) {
	var h hello
	if json.Unmarshal(m.Data, &h) == nil && h.Refused != "" {
		c.o.Say(fmt.Sprintf("a worker on %s does not take part: %s", h.Host, h.Refused))
	}
}

func (c *Crew) unsubscribe() {
	for _, s := range c.subs {
		_ = s.Unsubscribe() // the connection may be gone, and the subscription with it
	}
}

// Workers is how many workers have delivered a run.
func (c *Crew) Workers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.workers)
}

// Redelivered is how many runs came of a job that had been given out before.
func (c *Crew) Redelivered() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.again
}

// Work puts jobs into the queue and takes results.
func (c *Crew) Work(parent context.Context, jobs <-chan explore.Job, done chan<- explore.Done,
) error {
	bound, stop := c.o.Conn.bind(parent)
	defer stop()
	g, ctx := errgroup.WithContext(bound)
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	g.Go(func() error { return c.hand(ctx, jobs, done, enough) })
	g.Go(func() error { return c.collect(ctx, done, enough) })
	g.Go(func() error { return c.watch(ctx) })
	if c.o.Jobs > 0 {
		g.Go(func() error {
			return Work(ctx, WorkerOptions{Conn: c.o.Conn, Build: c.spec.Build, Only: c.spec.Name,
				Jobs: c.o.Jobs, Carry: c.o.Carry})
		})
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if why := context.Cause(bound); err == nil && why != nil && parent.Err() == nil {
		err = why
	}
	if err != nil {
		return fmt.Errorf("explore %s as %s: %w", c.spec.Scenario, c.spec.Name, err)
	}
	return nil
}

// hand publishes jobs whose results are not there.
func (c *Crew) hand(ctx context.Context, jobs <-chan explore.Job, done chan<- explore.Done,
	enough func(),
) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case j, ok := <-jobs:
			if !ok {
				c.mu.Lock()
				defer c.mu.Unlock()
				if c.closed = true; len(c.pending) == 0 {
					enough()
				}
				return nil
			}
			if err := c.publish(ctx, j, done, enough); err != nil {
				return err
			}
		}
	}
}

func (c *Crew) publish(ctx context.Context, j explore.Job, done chan<- explore.Done, enough func(),
) error {
	o, err := newOrder(j)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.pending[j.Seed] = o
	r := c.early[j.Seed]
	delete(c.early, j.Seed)
	c.mu.Unlock()
	if r == nil && c.found > 0 {
		if r, err = c.stored(ctx, j.Seed); err != nil {
			return err
		}
	}
	if r != nil {
		return c.settle(ctx, r, done, enough)
	}
	b, err := pack(o, maxJob)
	if err != nil {
		return fmt.Errorf("send the job of seed %d: %w", j.Seed, err)
	}
	err = c.o.Conn.persist(ctx, func(ctx context.Context) error {
		_, err := c.o.Conn.js.Publish(ctx, c.spec.jobSubject(), b,
			jetstream.WithMsgID(fmt.Sprintf("%s/%d", c.spec.ID, j.Seed)))
		return err
	})
	if err != nil {
		return fmt.Errorf("send the job of seed %d: %w", j.Seed, err)
	}
	return nil
}

// stored is the result of a seed that another coordinator had asked for, nil if there is none.
func (c *Crew) stored(ctx context.Context, seed uint64) (*result, error) {
	var r *result
	err := c.o.Conn.persist(ctx, func(ctx context.Context) error {
		m, err := c.results.GetLastMsgForSubject(ctx, c.spec.resultSubject(seed))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		r = &result{}
		return unpack(m.Data, r)
	})
	if err != nil {
		return nil, fmt.Errorf("look for the result of seed %d: %w", seed, err)
	}
	return r, nil
}

// Close leaves the exploration: over says that it came to its end. What is over is deleted from the
// server unless keep, what is not is if nobody can go on with it.
func (c *Crew) Close(over, keep bool) error {
	c.unsubscribe()
	if (over && keep) || (!over && c.o.Stay) {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), dialLimit)
	defer stop()
	if c.o.Conn.lost.Err() != nil {
		return nil // nothing can be reached; the streams go with their age
	}
	if err := c.spec.forget(ctx, c.o.Conn.js); err != nil {
		return fmt.Errorf("delete exploration %s from the farm at %s: %w", c.spec.Name, c.o.Conn, err)
	}
	return nil
}
