package farm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/evetwin/evetwin/scenarios/explore"
)

// idleAfter is how long no result may come before people are told, and the server is looked at.
const idleAfter = 15 * time.Second

// collect takes results as they come.
func (c *Crew) collect(ctx context.Context, done chan<- explore.Done, enough func()) error {
	cons, err := c.o.Conn.js.OrderedConsumer(ctx, c.spec.results(), jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: c.found + 1})
	if err != nil {
		return fmt.Errorf("wait for results: %w", err)
	}
	list, err := cons.Messages()
	if err != nil {
		return fmt.Errorf("wait for results: %w", err)
	}
	stop := context.AfterFunc(ctx, list.Stop)
	defer list.Stop()
	defer stop()
	for {
		m, err := list.Next()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if passing(err) {
				continue // the consumer finds its place again; patience is the connection's
			}
			if c.o.Conn.nc.IsClosed() {
				return c.o.Conn.reason()
			}
			return fmt.Errorf("wait for results: %w", err)
		}
		var r result
		if err := unpack(m.Data(), &r); err != nil {
			return fmt.Errorf("read a result (%s): %w", m.Subject(), err)
		}
		if err := c.settle(ctx, &r, done, enough); err != nil {
			return err
		}
	}
}

// settle takes the result of a seed, once.
func (c *Crew) settle(ctx context.Context, r *result, done chan<- explore.Done, enough func(),
) error {
	d, last, err := c.accept(r)
	if d == nil || err != nil {
		return err
	}
	select {
	case done <- *d:
	case <-ctx.Done():
	}
	if last {
		enough()
	}
	return nil
}

// accept is what a result means for the exploration: nothing if it was taken already or was not
// asked for yet; last says that no other is wanted.
func (c *Crew) accept(r *result) (d *explore.Done, last bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved = time.Now()
	o, ok := c.pending[r.Seed]
	if !ok {
		if _, was := c.done[r.Seed]; !was {
			c.early[r.Seed] = r
		}
		return nil, false, nil
	}
	if r.Sum != o.Sum {
		return nil, false, fmt.Errorf("the result of seed %d is of another plan: the server holds what"+
			" other options or other code asked for", r.Seed)
	}
	delete(c.pending, r.Seed)
	c.done[r.Seed] = struct{}{}
	if r.Given > 1 {
		c.again++
	}
	if _, known := c.workers[r.By]; !known {
		c.workers[r.By] = struct{}{}
		c.o.OnWorker(len(c.workers))
	}
	d = &explore.Done{Job: o.Job, Run: r.Run}
	switch {
	case r.Error != "":
		d.Err = fmt.Errorf("seed %d, by worker %s: %s", r.Seed, r.By, r.Error)
	case r.Run == nil:
		d.Err = fmt.Errorf("seed %d, by worker %s: a result without a run", r.Seed, r.By)
	}
	return d, c.closed && len(c.pending) == 0, nil
}

// watch looks why nothing comes.
func (c *Crew) watch(ctx context.Context) error {
	t := time.NewTicker(idleAfter)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		c.mu.Lock()
		idle := len(c.pending) > 0 && time.Since(c.moved) >= idleAfter
		c.mu.Unlock()
		if !idle || !c.o.Conn.nc.IsConnected() {
			continue
		}
		if err := c.look(ctx); err != nil {
			return err
		}
	}
}

// look tells that nobody works, and ends when nothing can come any more.
func (c *Crew) look(parent context.Context) error {
	ctx, stop := context.WithTimeout(parent, dialLimit)
	defer stop()
	cons, err := c.o.Conn.js.Consumer(ctx, c.spec.jobs(), workers)
	gone := errors.Is(err, jetstream.ErrStreamNotFound) ||
		errors.Is(err, jetstream.ErrConsumerNotFound)
	if err == nil {
		i := cons.CachedInfo()
		if i.NumAckPending == 0 && i.NumWaiting == 0 {
			c.o.Say(fmt.Sprintf("%s waits for workers: nobody takes its jobs", c.spec.Name))
		}
		var info *jetstream.StreamInfo
		if info, err = c.results.Info(ctx); err == nil &&
			info.State.Bytes+maxPayload > maxResults {
			return fmt.Errorf("the results fill the %d bytes they may have on the farm", int64(maxResults))
		}
		gone = errors.Is(err, jetstream.ErrStreamNotFound)
	}
	if gone {
		return errors.New("somebody has deleted the exploration from the farm")
	}
	return nil // what cannot be seen now may be next time
}
