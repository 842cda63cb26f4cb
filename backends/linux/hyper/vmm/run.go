package vmm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// quitLimit is how long QEMU may take to end by its monitor, before it is killed.
const quitLimit = 5 * time.Second

// run is a guest's process.
type run struct {
	g       *Guests
	name    string
	process *process
	ready   chan struct{} // closed when monitor is set
	monitor *qemu.Client  // nil: it does not answer
	gone    chan struct{} // closed when the process has ended and that is written down
}

// newRun makes the run of a process that is being followed from attach on.
func (g *Guests) newRun(name string, p *process) *run {
	return &run{g: g, name: name, process: p, ready: make(chan struct{}), gone: make(chan struct{})}
}

// connect speaks to the monitor of a process.
func (r *run) connect(ctx context.Context) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", r.g.path(r.name, monitorSuffix))
	if err == nil {
		r.monitor, err = qemu.NewClient(ctx, c, r.event)
	}
	close(r.ready)
	return err
}

// adopt follows a process that an earlier one of ours has started, and reports whether it is there:
// one whose monitor is closed may be about to end. One that does not answer is known all the same,
// and can be ended.
func (g *Guests) adopt(name string, p *process) bool {
	r := g.newRun(name, p)
	if err := r.connect(g.ctx); err != nil {
		if p.endsWithin(endLimit) {
			r.release()
			return false
		}
		g.o.OnError(fmt.Errorf("adopt guest %s: %w", name, err))
	}
	if !g.follow(r) {
		r.release()
		return true
	}
	// A guest that is off already says nothing any more.
	if s, err := r.state(); err == nil && s == GoingDown {
		r.down(Shutdown)
	}
	return true
}

// follow has a run be its guest's, and reports whether it is: not when all guests were let go, or
// the guest is not there any more.
func (g *Guests) follow(r *run) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.guests[r.name]
	if g.closed || x == nil {
		return false
	}
	x.run = r
	g.work.Go(func() {
		if !r.process.wait() {
			return
		}
		if r.monitor != nil {
			<-r.monitor.Done() // what it still had to say
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if err := g.over(r.name, x); err != nil {
			g.o.OnError(err)
		}
		close(r.gone)
		g.tell(r.name)
		r.release()
	})
	return true
}

// release lets the process go, which runs on.
func (r *run) release() {
	r.process.release()
	if r.monitor != nil {
		_ = r.monitor.Close()
	}
}

// event follows the guest's life, on the monitor's goroutine.
func (r *run) event(e qemu.Event) {
	switch e.Name {
	case "STOP", "RESUME", "SUSPEND", "WAKEUP":
		r.g.mu.Lock()
		r.g.tell(r.name)
		r.g.mu.Unlock()
	case "SHUTDOWN":
		var data struct {
			Guest  bool   `json:"guest"`
			Reason string `json:"reason"`
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			r.g.o.OnError(fmt.Errorf("read how guest %s ended: %w", r.name, err))
		}
		r.down(endOf(data.Reason, data.Guest))
	}
}

// down writes down how the run ended, which the first word decides, and ends QEMU, which waits for
// that.
func (r *run) down(how State) {
	if err := r.ends(how); err != nil {
		r.g.o.OnError(err)
	}
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if r.g.closed {
		return // the next Open asks
	}
	r.g.work.Go(func() {
		if err := r.quit(); err != nil && r.g.ctx.Err() == nil {
			r.g.o.OnError(err)
		}
	})
}

// ends writes down how a run ends, unless that is known.
func (r *run) ends(how State) error {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	x := r.g.guests[r.name]
	if x == nil || x.rec.End != Off {
		return nil
	}
	x.rec.End = how
	return r.g.save(r.name, &x.rec)
}

// quit ends QEMU by its monitor, or by force, and waits until it is gone.
func (r *run) quit() error {
	<-r.ready
	ctx, cancel := context.WithTimeout(r.g.ctx, quitLimit)
	defer cancel()
	if r.monitor != nil {
		// Whether it heard shows in what it does.
		_ = r.monitor.Execute(ctx, "stop", nil, nil)
		_ = r.monitor.Execute(ctx, "quit", nil, nil)
		select {
		case <-r.gone:
			return nil
		case <-ctx.Done():
		}
	}
	if err := r.g.ctx.Err(); err != nil {
		return fmt.Errorf("end guest %s: %w", r.name, err)
	}
	if err := r.process.kill(); err != nil {
		return fmt.Errorf("end guest %s: %w", r.name, err)
	}
	return r.waits(endLimit)
}

// waits waits until the process is gone.
func (r *run) waits(limit time.Duration) error {
	select {
	case <-r.gone:
		return nil
	case <-r.g.ctx.Done():
		return fmt.Errorf("end guest %s: %w", r.name, r.g.ctx.Err())
	case <-time.After(limit):
		return fmt.Errorf("guest %s is still there after %v", r.name, limit)
	}
}

// state asks what the guest does. Whoever closed its monitor is about to end: ErrGone, then.
func (r *run) state() (State, error) {
	if r.monitor == nil {
		return Running, nil // as far as can be seen
	}
	var status struct {
		Status string `json:"status"`
	}
	err := r.monitor.Execute(r.g.ctx, "query-status", nil, &status)
	if errors.Is(err, qemu.ErrMonitorClosed) {
		if err := r.waits(endLimit); err != nil {
			return Off, err
		}
		return Off, ErrGone
	}
	if err != nil {
		return Off, fmt.Errorf("look at guest %s: %w", r.name, err)
	}
	return stateOf(status.Status), nil
}
