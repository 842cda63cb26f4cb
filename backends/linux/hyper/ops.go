package hyper

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
)

// create makes a domain.
func (b *boot) create(c host.Run[device.CreateReq, device.None]) {
	s := c.Req().Spec
	if g := b.guests[s.Name]; g != nil {
		if !device.Domains.Equal(&device.DomainSeen{Spec: g.row.Spec}, &device.DomainSeen{Spec: s}) {
			c.Fail(device.FaultExists, "create domain "+s.Name+": another one of that name is here", false)
			return
		}
		c.Done(device.None{})
		return
	}
	if b.used()+uint64(s.MemoryKiB>>10) > b.host.TotalMemoryMB {
		c.Fail(device.FaultNoMemory, "create domain "+s.Name+": not enough memory", true)
		return
	}
	b.ids = max(b.ids+1, int(b.pt.Wall().Unix()))
	n := &note{Spec: s, ID: b.ids}
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		for _, d := range s.Disks {
			if _, err := os.Stat(filepath.Join(b.o.Root, d.Path)); err != nil {
				return device.None{}, fault(refuse(device.FaultMissing, true, "create domain %s: volume %s: %v",
					s.Name, d.VolumeKey, err))
			}
		}
		return device.None{}, fault(b.alter(ctx, s.Name, func(e engine) error {
			if _, err := e.read(s.Name); !errors.Is(err, errGone) {
				return err
			}
			d, err := b.describe(n, nil)
			if err != nil {
				return err
			}
			return e.define(d)
		}))
	}, c.Finish)
}

// used is the memory of domains that are not off, in MiB.
func (b *boot) used() (n uint64) {
	for _, g := range b.guests { //order: a sum
		if g.row.State != device.Halted && g.row.State != device.Broken {
			n += uint64(g.row.MemoryKiB >> 10)
		}
	}
	return n
}

// start runs a domain.
func (b *boot) start(c host.Run[device.NameReq, device.None]) {
	name := c.Req().Name
	g := b.guests[name]
	if g == nil {
		c.Fail(device.FaultMissing, "start domain "+name+": no such domain", true)
		return
	}
	if g.gone != nil && !g.starting {
		c.Done(device.None{})
		return
	}
	spec, boots, wall := g.row.Spec, g.boots+1, b.pt.Wall().UTC()
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		return device.None{}, fault(b.launch(ctx, &spec, boots, wall))
	}, c.Finish)
}

// halt stops a domain.
func (b *boot) halt(c host.Run[device.StopReq, device.None]) {
	q := *c.Req()
	g := b.guests[q.Name]
	if g == nil || g.gone == nil || q.ID != 0 && q.ID != g.row.ID {
		c.Done(device.None{})
		return
	}
	gone := g.gone
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		if q.Force {
			return device.None{}, fault(gentle(b.alter(ctx, q.Name, func(e engine) error {
				return e.kill(q.Name)
			})))
		}
		err := gentle(b.alter(ctx, q.Name, func(e engine) error { return b.press(e, q.Name) }))
		if err != nil {
			return device.None{}, fault(err)
		}
		select {
		case <-gone:
			return device.None{}, nil
		case <-ctx.Done():
			return device.None{}, fault(ctx.Err())
		}
	}, c.Finish)
}

// gentle makes undoing what is not there a success.
func gentle(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// press notes that a guest is asked to power off, and asks it. That it was asked is seen before it
// can obey.
func (b *boot) press(e engine, name string) error {
	f, err := e.read(name)
	if err != nil || !f.is.alive() {
		return err
	}
	n, err := readNote(f.note)
	if err != nil || n == nil {
		return err
	}
	if !n.Asked {
		n.Asked = true
		if err := b.write(e, n); err != nil {
			return err
		}
	}
	if err := b.look(e, name); err != nil {
		return err
	}
	return e.press(name)
}

// remove ends a domain and forgets it.
func (b *boot) remove(c host.Run[device.NameReq, device.None]) {
	name := c.Req().Name
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		return device.None{}, fault(gentle(b.alter(ctx, name, func(e engine) error {
			f, err := e.read(name)
			if err != nil || f.note == nil {
				return err
			}
			if f.is.alive() {
				if err := errors.Join(e.kill(name), b.look(e, name)); err != nil {
					return err
				}
			}
			if n, err := readNote(f.note); err == nil {
				if err := b.untap(n.Spec.Vifs); err != nil {
					return err
				}
			}
			if err := os.Remove(b.socket(name)); err != nil && !os.IsNotExist(err) {
				return err
			}
			return e.forget(name)
		})))
	}, c.Finish)
}
