package hyper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
)

// Pauses between two engines, if the first did not even start: they double.
const (
	shortPause = 200 * time.Millisecond
	longPause  = 30 * time.Second
)

// keep has an engine until the boot is closed.
func (b *boot) keep() {
	run := b.daemon
	if b.o.Under == QEMU {
		run = b.direct
	}
	pause := shortPause
	for b.ctx.Err() == nil {
		ran, err := run()
		if b.ctx.Err() != nil {
			return
		}
		b.o.OnError(err)
		b.trouble(err)
		if ran {
			pause = shortPause
			continue
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, longPause)
		case <-b.ctx.Done():
		}
	}
}

// trouble shows, with the machine, what is wrong with its hypervisor; nil: nothing.
func (b *boot) trouble(err error) {
	b.post(func() {
		h := b.host
		if err != nil {
			h.Detail = err.Error()
		}
		b.machine.Put(h)
	})
}

// daemon runs one daemon to its end and reports whether it has ever run in order.
func (b *boot) daemon() (ran bool, err error) {
	d, err := libvirtd.Start(b.ctx, libvirtd.Options{Dir: b.o.Dir, Space: b.o.Space,
		Cache: b.o.Cache, Interrupted: unstarted})
	if err != nil {
		return false, err
	}
	l, err := d.Dial(libvirt.QEMUSystem)
	if err != nil {
		return false, errors.Join(err, d.Stop())
	}
	ctx, unlisten := context.WithCancel(context.Background())
	defer unlisten()
	events, err := l.LifecycleEvents(ctx)
	if err == nil {
		ran, err = b.serve(d, l, events)
	}
	// What waits for an answer of this daemon gets none when it is gone, and events end with the
	// connection: one that was no longer listened for would stop it.
	err = errors.Join(err, d.Stop())
	_ = l.Disconnect() // which is over
	unlisten()
	if events != nil {
		for range events {
		}
	}
	return ran, err
}

// serve has a daemon serve until it ends or the boot is closed, and reports whether it began to.
func (b *boot) serve(d *libvirtd.Daemon, l *libvirt.Libvirt,
	events <-chan libvirt.DomainEventLifecycleMsg,
) (bool, error) {
	e := virt{l}
	if err := b.adopt(e); err != nil {
		return false, err
	}
	b.trouble(nil)
	b.swap(e)
	defer b.swap(nil)
	for {
		select {
		case event, more := <-events:
			if !more {
				return true, ended(d)
			}
			b.heard(d.Done(), e, event.Dom.Name)
		case <-l.Disconnected():
			return true, ended(d)
		case <-d.Done():
			return true, ended(d)
		case <-b.ctx.Done():
			return true, nil
		}
	}
}

// heard looks at a domain that something happened to. If the engine ends meanwhile, the next one is
// asked about all domains.
func (b *boot) heard(ended <-chan struct{}, e engine, name string) {
	select {
	case b.turn <- struct{}{}:
	case <-ended:
		return
	case <-b.ctx.Done():
		return
	}
	err := b.look(e, name)
	<-b.turn
	if err != nil && !e.over() {
		b.o.OnError(err)
	}
}

// ended says how a daemon, or the connection to it, ended.
func ended(d *libvirtd.Daemon) error {
	select {
	case <-d.Done():
		if err := d.Err(); err != nil {
			return fmt.Errorf("libvirtd ended: %w", err)
		}
		return errors.New("libvirtd ended")
	case <-time.After(time.Second):
		return errors.New("the connection to libvirtd ended")
	}
}

// adopt shows all domains as an engine has found them, and listens to the consoles of those that
// run.
func (b *boot) adopt(e engine) error {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	names, err := e.names()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, name := range names {
		there[name] = true
		if err := b.look(e, name); err != nil {
			return err
		}
		if f, err := e.read(name); err == nil && f.is.alive() {
			if n, err := readNote(f.note); err == nil && n != nil {
				b.listen(&n.Spec)
			}
		}
	}
	b.post(func() {
		for name := range b.guests { //order: each is a row of its own
			if !there[name] {
				b.vanish(name)
			}
		}
		b.domains.Complete()
	})
	return nil
}
