package hyper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
)

// Pauses between two daemons, if the first did not even start: they double.
const (
	shortPause = 200 * time.Millisecond
	longPause  = 30 * time.Second
)

// keep has a daemon run until the boot is closed.
func (b *boot) keep() {
	pause := shortPause
	for b.ctx.Err() == nil {
		ran, err := b.daemon()
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
	if err := endUnstarted(b.o.Libvirt.Dir); err != nil {
		return false, err
	}
	d, err := libvirtd.Start(b.ctx, b.o.Libvirt)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, d.Stop()) }()
	l, err := d.Dial(libvirt.QEMUSystem)
	if err != nil {
		return false, err
	}
	defer func() { _ = l.Disconnect() }() // which may be over
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	events, err := l.LifecycleEvents(ctx)
	if err != nil {
		return false, fmt.Errorf("listen to libvirtd: %w", err)
	}
	defer func() {
		stop()
		for range events {
		}
	}()
	e := virt{l}
	if err := b.adopt(e); err != nil {
		return false, err
	}
	b.trouble(nil)
	b.swap(e)
	defer b.swap(nil)
	for event := range events {
		if err := b.alone(ctx, event.Dom.Name, nil); err != nil && ctx.Err() == nil {
			b.o.OnError(err)
		}
	}
	if ctx.Err() != nil {
		return true, nil
	}
	<-l.Disconnected()
	select {
	case <-d.Done():
		return true, fmt.Errorf("libvirtd ended: %w", d.Err())
	case <-time.After(time.Second):
		return true, errors.New("the connection to libvirtd ended")
	}
}

// adopt shows all domains as a daemon has found them, and listens to the consoles of those that
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
