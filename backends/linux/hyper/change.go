package hyper

import (
	"context"
	"errors"
	"fmt"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/hyper"
)

// refusal is an error that an op's fault is made of.
type refusal struct{ agent.Fault }

// Error is the fault's text.
func (r *refusal) Error() string { return r.Text }

func refuse(code string, retry bool, format string, args ...any) error {
	return &refusal{agent.Fault{Code: code, Text: fmt.Sprintf(format, args...), Retry: retry}}
}

// fault is how an op ends with an error; nil without.
func fault(err error) *agent.Fault {
	if err == nil {
		return nil
	}
	var r *refusal
	if errors.As(err, &r) {
		return &r.Fault
	}
	return &agent.Fault{Code: device.FaultFailed, Text: err.Error(), Retry: true}
}

// use waits for an engine.
func (b *boot) use(ctx context.Context) (engine, error) {
	for {
		b.mu.Lock()
		e, change := b.engine, b.change
		b.mu.Unlock()
		if e != nil {
			return e, nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for what runs guests: %w", ctx.Err())
		case <-b.ctx.Done():
			return nil, errors.New("the part is being closed")
		}
	}
}

// hold waits for its turn to change something, and for an engine, which is the one that there is
// then. Who holds the turn gives it back.
func (b *boot) hold(ctx context.Context) (engine, error) {
	for {
		e, err := b.use(ctx)
		if err != nil {
			return nil, err
		}
		select {
		case b.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.ctx.Done():
			return nil, b.ctx.Err()
		}
		b.mu.Lock()
		now := b.engine
		b.mu.Unlock()
		if now == e {
			return e, nil
		}
		<-b.turn // the next engine looks at all domains first
	}
}

// swap says which engine there is from now on; nil: none.
func (b *boot) swap(e engine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.engine = e
	close(b.change)
	b.change = make(chan struct{})
}

// alter changes a domain with f, when nothing else is changed, and shows what became of it. Calls
// to the engine cannot be cancelled: when ctx ends alter returns at once, f ends in its own time,
// and what it did is shown then.
func (b *boot) alter(ctx context.Context, name string, f func(engine) error) error {
	done := make(chan error, 1)
	if !b.begin(func() { done <- b.alone(ctx, name, f) }) {
		return errors.New("the part is closed")
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// alone does the work of alter.
func (b *boot) alone(ctx context.Context, name string, f func(engine) error) error {
	e, err := b.hold(ctx)
	if err != nil {
		return err
	}
	defer func() { <-b.turn }()
	if f != nil {
		err = f(e)
	}
	err = errors.Join(err, b.look(e, name))
	if err != nil && e.over() {
		b.swap(nil) // whoever repeats this waits for the next one
	}
	return err
}

// look shows a domain as it is. Who calls it has the turn, so that looks are shown in their order.
func (b *boot) look(e engine, name string) error {
	f, err := e.read(name)
	if errors.Is(err, errGone) {
		b.post(func() { b.vanish(name) })
		return nil
	}
	if err != nil {
		return err
	}
	n, err := readNote(f.note)
	if n == nil || err != nil {
		return err
	}
	if !f.is.alive() {
		if !n.BootedAt.IsZero() && n.End == nil {
			n.End = n.ended(f.is)
			if err := b.write(e, n); err != nil {
				return err
			}
		}
		if err := b.untap(n.Spec.Vifs); err != nil {
			return err
		}
	}
	row := n.row(f.is)
	b.post(func() { b.show(row, n, f.is.alive()) })
	return nil
}

// write keeps a note in its domain.
func (b *boot) write(e engine, n *note) error {
	text, err := n.text()
	if err != nil {
		return err
	}
	return e.annotate(n.Spec.Name, text)
}

// show puts a row, on the loop.
func (b *boot) show(row device.DomainSeen, n *note, alive bool) {
	g := b.guests[row.Name]
	if g == nil {
		g = &domain{}
		b.guests[row.Name] = g
	}
	b.ids = max(b.ids, row.ID)
	g.boots, g.starting = n.Boots, alive && n.Starting
	if alive && g.gone == nil {
		g.gone = make(chan struct{})
	}
	if !device.Domains.Equal(&g.row, &row) {
		g.row = row
		b.domains.Put(row)
	}
	if !alive {
		g.over()
	}
}

// vanish removes a row, on the loop.
func (b *boot) vanish(name string) {
	if g := b.guests[name]; g != nil {
		g.over()
		delete(b.guests, name)
		b.domains.Delete(name)
	}
}

// over tells those who wait for the guest's end.
func (g *domain) over() {
	if g.gone != nil {
		close(g.gone)
		g.gone = nil
	}
}
