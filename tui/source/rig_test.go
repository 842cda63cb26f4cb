package source

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// A real device's kernel feeds the terminal.
var _ Kernel = (*host.Kernel)(nil)

// fakeKernel is tables without a device.
type fakeKernel struct {
	boot  uint64
	now   time.Duration
	dead  bool
	decls []*bus.Decl
	tops  map[*bus.Decl]*bus.Cursor
}

func newKernel() *fakeKernel {
	return &fakeKernel{boot: 1, tops: map[*bus.Decl]*bus.Cursor{}}
}

func (k *fakeKernel) Device() string      { return "edge" }
func (k *fakeKernel) BootCount() uint64   { return k.boot }
func (k *fakeKernel) Topics() []*bus.Decl { return k.decls }
func (k *fakeKernel) Now() time.Duration  { return k.now }
func (k *fakeKernel) Wall() time.Time     { return time.Unix(1767225600, 0).Add(k.now) }
func (k *fakeKernel) Dead() bool          { return k.dead }
func (k *fakeKernel) Head(d *bus.Decl) (bus.Head, bool) {
	c := k.tops[d]
	if c == nil {
		return bus.Head{}, false
	}
	return c.Head(), true
}

func (k *fakeKernel) cursor(d *bus.Decl) *bus.Cursor {
	c := k.tops[d]
	if c == nil {
		c = bus.NewCursor(d, bus.NewShelf(d, k.boot<<32).Head())
		k.tops[d] = c
		k.decls = append(k.decls, d)
	}
	return c
}

// put shows a row.
func put[V bus.Row](k *fakeKernel, t bus.Topic[V], v V) { k.cursor(t.Decl).Put(v.Key(), &v) }

// without shows that a row is gone.
func without[V bus.Row](k *fakeKernel, t bus.Topic[V], key string) {
	k.cursor(t.Decl).Put(key, nil)
}

// soon is a deadline for what must not take long.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// until applies batches to a state until it is as it should be.
func until(t *testing.T, src Source, s *State, done func() bool) {
	t.Helper()
	ctx := soon(t)
	for !done() {
		b, err := src.Next(ctx)
		if err != nil {
			t.Fatalf("the next batch: %v", err)
		}
		s.Apply(b)
	}
}

// names are the names of a state's tables and how many rows they have.
func names(s *State) map[string]int {
	out := map[string]int{}
	for _, t := range s.Tables {
		out[t.Name] = len(t.Rows)
	}
	return out
}

func texts(lines []Line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Text)
	}
	return slices.Clip(out)
}
