package explore

import (
	"reflect"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// cover collects which transitions a run made: of the state of a row, as its publisher showed it,
// and of how runs of ops ended. It stands around the devices of one run.
type cover struct {
	seen   map[uint64]struct{}
	states map[*bus.Decl]reader
}

// reader finds the fields of a row type that are its state; empty where it has none.
type reader []int

func newCover() *cover {
	return &cover{seen: map[uint64]struct{}{}, states: map[*bus.Decl]reader{}}
}

// Shape adds the hooks.
func (c *cover) Shape(_ scenario.World, o *twin.DeviceOptions) {
	o.Hooks = o.Hooks.Join(host.Hooks{Shown: c.shown, Ended: c.ended, Crashed: c.crashed})
}

// Made needs nothing of the device.
func (c *cover) Made(scenario.World, *twin.Device) {}

func (c *cover) shown(_ *host.Kernel, _ *host.Source, rows []host.Change) {
	for i := range rows {
		r := &rows[i]
		read, ok := c.states[r.Topic]
		if !ok {
			read = readerOf(r)
			c.states[r.Topic] = read
		}
		if len(read) == 0 {
			continue
		}
		was, now := read.state(r.Was), read.state(r.Val)
		if was == now {
			continue
		}
		var s bus.Sum
		s.Word(r.Topic.Sum())
		s.Word(was)
		s.Word(now)
		c.seen[s.Value()] = struct{}{}
	}
}

func (c *cover) ended(_ *host.Kernel, r host.Ran) {
	var s bus.Sum
	s.String(r.Op)
	if r.Fault != nil {
		s.String(r.Fault.Code)
	}
	if r.Late {
		s.Word(1)
	}
	c.seen[s.Value()] = struct{}{}
}

func (c *cover) crashed(k *host.Kernel, agent string) {
	var s bus.Sum
	s.String("crash")
	s.String(agent)
	s.Word(min(k.BootCount(), 3))
	c.seen[s.Value()] = struct{}{}
}

// list is what was seen, in order.
func (c *cover) list() []uint64 {
	out := make([]uint64, 0, len(c.seen))
	for h := range c.seen { //order: sorted below
		out = append(out, h)
	}
	slices.Sort(out)
	return out
}

// readerOf finds the fields that say where a row is: small numbers, truths and words by the names
// that state has in EVE, and of errors whether there is one.
func readerOf(r *host.Change) reader {
	v := r.Val
	if v == nil {
		v = r.Was
	}
	t := reflect.TypeOf(v).Elem()
	var out reader
	for i := range t.NumField() {
		f := t.Field(i)
		switch f.Type.Kind() {
		case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int32, reflect.Uint8, reflect.Uint32,
			reflect.String:
		default:
			continue
		}
		if f.Type.Kind() == reflect.Bool || stateName(f.Name) {
			out = append(out, i)
		}
	}
	return out
}

func stateName(n string) bool {
	for _, end := range []string{"State", "Step", "Phase", "Error", "Reason", "Code"} {
		if strings.HasSuffix(n, end) {
			return true
		}
	}
	return false
}

// state is a checksum of where a row is, 0 where there is none.
func (r reader) state(row any) uint64 {
	if row == nil {
		return 0
	}
	v := reflect.ValueOf(row).Elem()
	var s bus.Sum
	for _, i := range r {
		f := v.Field(i)
		switch f.Kind() {
		case reflect.Bool:
			if f.Bool() {
				s.Word(1)
			} else {
				s.Word(0)
			}
		case reflect.String:
			if name := v.Type().Field(i).Name; strings.HasSuffix(name, "Error") {
				s.Word(uint64(min(f.Len(), 1)))
			} else {
				s.String(f.String())
			}
		default:
			if f.CanInt() {
				s.Word(uint64(f.Int()))
			} else {
				s.Word(f.Uint())
			}
		}
	}
	return s.Value() | 1
}
