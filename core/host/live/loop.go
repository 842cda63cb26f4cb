package live

import (
	"context"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// loop gives turns until ctx ends or the power is cut.
func (d *Device) loop(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		d.drain()
		d.tick()
		d.fire()
		d.turns()
		if d.cut {
			return nil
		}
		if len(d.ready) > 0 || len(d.apart) > 0 {
			if ctx.Err() != nil {
				d.stay = true
				return nil
			}
			continue
		}
		wait := time.Hour
		if len(d.later) > 0 {
			wait = d.later[0].at - time.Since(d.at)
		}
		if wait <= 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			d.stay = true
			return nil
		case <-d.bell:
		case <-timer.C:
		}
	}
}

func (d *Device) tick() { d.now = time.Since(d.at) }

// drain runs what other goroutines posted.
func (d *Device) drain() {
	d.mu.Lock()
	list := d.inbox
	d.inbox = d.spare[:0]
	d.mu.Unlock()
	if len(list) > 0 {
		d.tick()
	}
	for i, f := range list {
		f()
		list[i] = nil
	}
	d.spare = list
}

// fire runs the timers that are due.
func (d *Device) fire() {
	for len(d.later) > 0 && d.later[0].at <= d.now {
		d.later.pop().run()
	}
}

// turns runs the agents that are ready, and those whom they make ready, for a while.
func (d *Device) turns() {
	for n := 0; n < 64 && !d.cut; n++ {
		for len(d.ready) == 0 && len(d.apart) > 0 {
			next := d.apart[0]
			d.apart = d.apart[1:]
			d.k.Arrive(next.link, next.batch)
		}
		if len(d.ready) == 0 {
			return
		}
		p := d.ready[0]
		copy(d.ready, d.ready[1:])
		d.ready = d.ready[:len(d.ready)-1]
		began := d.now
		d.k.Turn(p)
		d.tick()
		if took := d.now - began; took > d.o.SlowStep {
			d.k.TookLong(p, took)
			d.say(agent.Warn, p.Name, "a turn of "+p.Name+" took "+took.String())
		}
	}
}

// Now is the time since boot, as of the current step of the loop.
func (d *Device) Now() time.Duration { return d.now }

// Wall is the device's wall clock.
func (d *Device) Wall() time.Time { return time.Now().Add(d.skew).Round(0).UTC() }

// delivery is a batch on its way.
type delivery struct {
	link  *host.Link
	batch *host.Batch
}

// Deliver brings a batch at once, or behind the turns that batches before it cause.
func (d *Device) Deliver(l *host.Link, b *host.Batch) {
	if d.o.Apart {
		d.apart = append(d.apart, delivery{l, b})
		return
	}
	d.k.Arrive(l, b)
}

// Ready queues a turn.
func (d *Device) Ready(p *host.Proc) {
	if until, slow := d.slowed[p]; slow {
		if d.now < until {
			d.schedule(until, func() { d.ready = append(d.ready, p) })
			return
		}
		delete(d.slowed, p)
	}
	d.ready = append(d.ready, p)
}

// Alarm wakes an agent at a time.
func (d *Device) Alarm(p *host.Proc, at time.Duration) {
	k := d.k
	d.schedule(at, func() { k.Alarm(p) })
}

// After calls back on the loop.
func (d *Device) After(after time.Duration, f func()) {
	k := d.k
	d.schedule(d.now+after, func() {
		if !k.Dead() {
			f()
		}
	})
}

// Durable hands a record to the journal.
func (d *Device) Durable(r *host.Record, then func()) {
	if e := d.o.Elsewhere; e != nil {
		e.Durable(r, then)
		return
	}
	d.journal.write(r, func() { d.Post(then) })
}

// Go runs work on a goroutine of its own.
func (d *Device) Go(work, then func()) {
	k := d.k
	d.work.Add(1)
	go func() {
		defer d.work.Done()
		work()
		d.Post(func() {
			if !k.Dead() {
				then()
			}
		})
	}()
}

func (d *Device) schedule(at time.Duration, f func()) {
	d.seq++
	d.later.push(timer{at, d.seq, f})
}

// timer is something to do at a time since boot.
type timer struct {
	at  time.Duration
	seq uint64
	run func()
}

// timers is a binary heap by time, then by the order of setting.
type timers []timer

func (t timers) less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].seq < t[j].seq
}

func (t *timers) push(x timer) {
	*t = append(*t, x)
	s := *t
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if !s.less(i, up) {
			return
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (t *timers) pop() timer {
	s := *t
	top := s[0]
	n := len(s) - 1
	s[0] = s[n]
	s[n] = timer{}
	s = s[:n]
	*t = s
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			return top
		}
		if c+1 < n && s.less(c+1, c) {
			c++
		}
		if !s.less(c, i) {
			return top
		}
		s[i], s[c] = s[c], s[i]
		i = c
	}
}

var _ host.Driver = (*Device)(nil)
