package vmm

import (
	"errors"
	"fmt"
	"time"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// look finds a guest, with what is known of it.
func (g *Guests) look(name string) (rec record, r *run, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.guests[name]
	if x == nil {
		return rec, nil, ErrGone
	}
	return x.rec, x.run, nil
}

// Read returns the note of a guest and what it does; ErrGone.
func (g *Guests) Read(name string) (note []byte, is State, err error) {
	rec, r, err := g.look(name)
	if err != nil || r == nil {
		return rec.Note, rec.End, err
	}
	is, err = r.state()
	if errors.Is(err, ErrGone) { // only the run is
		rec, _, err = g.look(name)
		is = rec.End
	}
	return rec.Note, is, err
}

// Define makes a guest, or describes one that is off anew. Its sockets but the console's, and
// whether it runs at once, are our affair.
func (g *Guests) Define(s qemu.Spec, note []byte) error {
	if err := s.Check(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.guests[s.Name]
	if x == nil {
		x = &guest{}
	}
	if x.run != nil {
		return fmt.Errorf("describe guest %s: it runs", s.Name)
	}
	next := x.rec
	next.Spec, next.Note = s, note
	if err := g.save(s.Name, &next); err != nil {
		return err
	}
	x.rec, g.guests[s.Name] = next, x
	return nil
}

// Annotate replaces the note of a guest, whether or not it runs; ErrGone.
func (g *Guests) Annotate(name string, note []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.guests[name]
	if x == nil {
		return ErrGone
	}
	next := x.rec
	next.Note = note
	if err := g.save(name, &next); err != nil {
		return err
	}
	x.rec = next
	return nil
}

// execute has the monitor of a guest execute something; ErrGone, also if it is off.
func (g *Guests) execute(name, command string) error {
	_, r, err := g.look(name)
	if err != nil {
		return err
	}
	if r == nil {
		return ErrGone
	}
	if r.monitor == nil {
		return fmt.Errorf("guest %s: its monitor does not answer", name)
	}
	if err := r.monitor.Execute(g.ctx, command, nil, nil); err != nil {
		return fmt.Errorf("guest %s: %w", name, err)
	}
	return nil
}

// Resume lets a guest that runs execute.
func (g *Guests) Resume(name string) error { return g.execute(name, "cont") }

// Press presses the power button of a guest; one that is off is a success.
func (g *Guests) Press(name string) error {
	err := g.execute(name, "system_powerdown")
	if errors.Is(err, qemu.ErrMonitorClosed) {
		return nil // it is about to end
	}
	return err
}

// Kill ends a guest; one that is off is a success.
func (g *Guests) Kill(name string) error {
	_, r, err := g.look(name)
	if err != nil || r == nil {
		return err
	}
	return errors.Join(r.ends(Killed), r.quit())
}

// Forget removes a guest that is off.
func (g *Guests) Forget(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.guests[name]
	if x == nil {
		return ErrGone
	}
	if x.run != nil {
		return fmt.Errorf("forget guest %s: it runs", name)
	}
	delete(g.guests, name)
	return g.remove(name)
}

// Use is what a guest that runs uses now, processor time and memory in bytes; ErrGone.
func (g *Guests) Use(name string) (time.Duration, uint64, error) {
	_, r, err := g.look(name)
	if err != nil {
		return 0, 0, err
	}
	if r == nil {
		return 0, 0, ErrGone
	}
	u, err := qemu.ProcessUsage(r.process.id.PID)
	select {
	case <-r.gone: // and its number may be another's
		return 0, 0, ErrGone
	default:
	}
	if err != nil {
		return 0, 0, fmt.Errorf("usage of guest %s: %w", name, err)
	}
	return u.CPU, u.RSSBytes, nil
}
