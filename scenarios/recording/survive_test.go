package recording_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/trace/pack"
)

// collector is a port that notes what an agent is wired to.
type collector struct {
	agent  string
	topics map[*bus.Decl]bool
	ops    map[*agent.OpDecl]bool
}

// Agent is the name.
func (c *collector) Agent() string { return c.agent }

// Subscribe notes a topic.
func (c *collector) Subscribe(d *bus.Decl, _ bus.Mode) *bus.Cursor {
	c.topics[d] = true
	return bus.NewCursor(d, bus.Empty(0))
}

// Publish notes a topic.
func (c *collector) Publish(d *bus.Decl) (*bus.Cursor, bus.Outlet) {
	c.topics[d] = true
	return bus.NewCursor(d, bus.Empty(0)), nil
}

// Use notes an op.
func (c *collector) Use(op any) any {
	c.ops[op.(*agent.OpDecl)] = true
	return struct{ agent.CallTable }{} // nobody calls in New
}

// wiring is all that the agents of the roster are wired to.
func wiring() *collector {
	c := &collector{topics: map[*bus.Decl]bool{}, ops: map[*agent.OpDecl]bool{}}
	for _, e := range roster.Agents() {
		c.agent = e.Name
		e.New(c)
	}
	return c
}

// fill puts something into every field; n makes it differ from other fillings.
func fill(v reflect.Value, n *int) {
	*n++
	k := *n
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Unix(int64(k)*12345, int64(k)).In([]*time.Location{time.UTC,
			time.FixedZone("", 3600*(k%5+1))}[k%2])
		return
	case *netip.Addr:
		*x = []netip.Addr{netip.AddrFrom4([4]byte{10, byte(k)}), {}, netip.IPv6LinkLocalAllNodes(),
			netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:10.0.0.1")}[k%5]
		return
	case *netip.Prefix:
		*x = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(k)}), k%33), {}}[k%2]
		return
	case *netip.AddrPort:
		*x = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(k)}), uint16(k))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(k%2 == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(k%100) - 50)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(k % 200))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(k) / 3)
	case reflect.String:
		v.SetString([]string{"", "text", "<&>\u2028", "ünï"}[k%4] + string(rune('a'+k%26)))
	case reflect.Pointer:
		if k%3 > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Slice:
		switch k % 4 {
		case 0:
		case 1:
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		default:
			v.Set(reflect.MakeSlice(v.Type(), k%4, k%4))
			for i := range v.Len() {
				fill(v.Index(i), n)
			}
		}
	}
}

// survive writes values of a type one after the other and looks at what comes back.
func survive(t *testing.T, name string, fresh func() any) {
	t.Helper()
	e, d := pack.NewEncoder(), pack.NewDecoder()
	c := e.Coder(reflect.TypeOf(fresh()).Elem())
	typ, err := pack.Parse(c.Describe())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	src := d.Source(typ)
	var was any
	var base pack.Value
	for n := range 24 {
		v := fresh()
		fill(reflect.ValueOf(v).Elem(), &n)
		e.B = e.B[:0]
		c.Write(v, was)
		d.Take(bytes.Clone(e.B))
		base, was = src.Read(base), v
		got := fresh()
		if err := base.Into(got); err != nil || d.Bad || len(d.B) > 0 {
			t.Fatalf("%s: %v, bad %v", name, err, d.Bad)
		}
		if !reflect.DeepEqual(v, got) {
			t.Errorf("%s: wrote %+v, read %+v", name, v, got)
		}
	}
}

// Every row that an agent of the roster is shown or puts, and every result of an op it calls, comes
// back from a recording exactly as it was.
func TestEveryRowAndResultSurvivesARecording(t *testing.T) {
	w := wiring()
	if len(w.topics) < 100 || len(w.ops) < 20 {
		t.Fatalf("%d topics, %d ops", len(w.topics), len(w.ops))
	}
	for d := range w.topics {
		survive(t, d.String(), d.NewRow)
	}
	for d := range w.ops {
		survive(t, d.Name, d.NewRes)
	}
}

// A persistent row comes back from the JSON of the journal as it was, as far as rows are compared.
func TestEveryPersistentRowSurvivesTheJournal(t *testing.T) {
	seen := 0
	for d := range wiring().topics {
		if d.Life != bus.Persistent {
			continue
		}
		seen++
		for n := range 24 {
			v := d.NewRow()
			fill(reflect.ValueOf(v).Elem(), &n)
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatalf("%s: %v", d, err)
			}
			if got, err := d.Decode(b); err != nil || !d.Equal(v, got) {
				t.Errorf("%s: %v: wrote %+v, read %+v", d, err, v, got)
			}
		}
	}
	if seen < 5 {
		t.Fatalf("%d persistent topics", seen)
	}
}
