package hyper

import (
	"errors"
	"fmt"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/linux/hyper/vmm"
	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// direct runs domains in QEMU without libvirt.
type direct struct {
	g      *vmm.Guests
	closed <-chan struct{}
}

var _ engine = direct{}

// direct follows the guests of the boot's folder until the boot is closed, and reports whether it
// began to.
func (b *boot) direct() (ran bool, err error) {
	if b.o.Type == domxml.Xen {
		return false, errors.New("guests of Xen run only under libvirt")
	}
	g, err := vmm.Open(vmm.Options{Dir: b.o.Dir, Space: b.o.Space, Interrupted: starting,
		OnError: b.o.OnError})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	e := direct{g, b.ctx.Done()}
	if err := b.adopt(e); err != nil {
		return false, err
	}
	b.trouble(nil)
	b.swap(e)
	defer b.swap(nil)
	for {
		select {
		case <-g.Changed():
			for _, name := range g.Take() {
				b.heard(b.ctx.Done(), e, name)
			}
		case <-b.ctx.Done():
			return true, nil
		}
	}
}

// over is so only at the end: each guest has a process of its own.
func (d direct) over() bool {
	select {
	case <-d.closed:
		return true
	default:
		return false
	}
}

// known makes that there is no such guest the engine's word.
func known(what, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, vmm.ErrGone):
		return errGone
	}
	return fmt.Errorf("%s domain %s: %w", what, name, err)
}

func (d direct) names() ([]string, error) { return d.g.Names(), nil }

func (d direct) read(name string) (found, error) {
	note, is, err := d.g.Read(name)
	if err != nil {
		return found{}, known("read", name, err)
	}
	return found{note: note, is: conditions[is]}, nil
}

// conditions are states of guests as an engine names them; the rest are unknown.
var conditions = map[vmm.State]condition{
	vmm.Shutdown: offShutdown, vmm.Killed: offKilled, vmm.Crashed: offCrashed,
	vmm.Running: executing, vmm.Paused: paused, vmm.GoingDown: goingDown,
}

func (d direct) annotate(name string, note []byte) error {
	return known("annotate", name, d.g.Annotate(name, note))
}

func (d direct) define(x domxml.Domain) error {
	s := x.Spec
	s.Accel = qemu.TCG
	if x.Type == domxml.KVM {
		s.Accel = qemu.KVM
	}
	return known("define", s.Name, d.g.Define(s, x.Note))
}

func (d direct) launch(name string) error { return known("start", name, d.g.Launch(name)) }

func (d direct) resume(name string) error { return known("resume", name, d.g.Resume(name)) }

func (d direct) press(name string) error {
	return known("press the power button of", name, d.g.Press(name))
}

func (d direct) kill(name string) error { return known("end", name, d.g.Kill(name)) }

func (d direct) forget(name string) error { return known("undefine", name, d.g.Forget(name)) }

func (d direct) use(name string) (cpu, memory uint64, err error) {
	ran, bytes, err := d.g.Use(name)
	return uint64(ran), bytes >> 20, known("measure", name, err)
}
