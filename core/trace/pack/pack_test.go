package pack_test

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evetwin/evetwin/core/trace/pack"
)

type inner struct {
	Name string
	Took time.Duration
	List []int16
}

type level int8

type outer struct {
	Name   string `json:"name"`
	Level  level
	On     bool
	At     time.Time
	Since  time.Duration
	Count  uint64
	Small  int32
	F      float64
	G      float32
	Body   []byte
	Inner  inner
	Many   []inner
	Ptr    *inner
	Deep   **int
	Texts  []string
	Addr   netip.Addr
	Net    netip.Prefix
	Port   netip.AddrPort
	Array  [3]uint8
	Arrays [2]inner
	None   struct{}
}

// exact tells nil from empty and NaN from NaN apart, where JSON and == do not.
func exact(x, y reflect.Value) bool {
	switch x.Type() {
	case reflect.TypeFor[time.Time]():
		a, b := x.Interface().(time.Time), y.Interface().(time.Time)
		_, i := a.Zone()
		_, j := b.Zone()
		return a.Equal(b) && i == j
	case reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.Prefix](),
		reflect.TypeFor[netip.AddrPort]():
		return x.Interface() == y.Interface()
	}
	switch x.Kind() {
	case reflect.Float32:
		return math.Float32bits(float32(x.Float())) == math.Float32bits(float32(y.Float()))
	case reflect.Float64:
		return math.Float64bits(x.Float()) == math.Float64bits(y.Float())
	case reflect.Pointer:
		return x.IsNil() == y.IsNil() && (x.IsNil() || exact(x.Elem(), y.Elem()))
	case reflect.Slice, reflect.Array:
		if x.Kind() == reflect.Slice && x.IsNil() != y.IsNil() || x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !exact(x.Index(i), y.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range x.NumField() {
			if !exact(x.Field(i), y.Field(i)) {
				return false
			}
		}
		return true
	}
	return x.Interface() == y.Interface()
}

func someInner(t *rapid.T) inner {
	return inner{Name: someText(t), Took: time.Duration(rapid.Int64().Draw(t, "took")),
		List: someList(t, func() int16 { return rapid.Int16().Draw(t, "n") })}
}

func someText(t *rapid.T) string {
	s := rapid.SampledFrom([]string{"", "a", "\xff\xfe", "<b>&", strings.Repeat("long text ", 20),
		strings.Repeat("long text ", 9) + "x" + strings.Repeat("long text ", 9)}).Draw(t, "text")
	if rapid.Bool().Draw(t, "own") {
		s += rapid.String().Draw(t, "more")
	}
	return s
}

func someList[T any](t *rapid.T, f func() T) []T {
	switch rapid.IntRange(0, 3).Draw(t, "list") {
	case 0:
		return nil
	case 1:
		return []T{}
	}
	out := make([]T, rapid.IntRange(1, 4).Draw(t, "len"))
	for i := range out {
		out[i] = f()
	}
	return out
}

// some changes some fields of a value.
func some(t *rapid.T, v outer) *outer {
	change := func(f func()) {
		if rapid.IntRange(0, 3).Draw(t, "change") == 0 {
			f()
		}
	}
	zone := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("x", 5400)})
	addr := rapid.SampledFrom([]string{"10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "fe80::1",
		"1.2.3.4"})
	ip := func() netip.Addr { return netip.MustParseAddr(addr.Draw(t, "addr")) }
	change(func() { v.Name = someText(t) })
	change(func() { v.Level, v.On = level(rapid.Int8().Draw(t, "level")), !v.On })
	change(func() {
		v.At = time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "at"), 7).In(zone.Draw(t, "zone"))
	})
	change(func() { v.Since = time.Duration(rapid.Int64().Draw(t, "since")) })
	change(func() { v.Count, v.Small = rapid.Uint64().Draw(t, "c"), rapid.Int32().Draw(t, "s") })
	change(func() {
		v.F, v.G = rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(-1), 0.1, math.Copysign(0, -1)}).
			Draw(t, "f"), rapid.Float32().Draw(t, "g")
	})
	change(func() {
		v.Body = someList(t, func() byte { return rapid.Byte().Draw(t, "byte") })
		v.Body = append(v.Body, v.Name...)
	})
	change(func() { v.Body = someList(t, func() byte { return 7 }) })
	change(func() { v.Inner = someInner(t) })
	change(func() { v.Many = someList(t, func() inner { return someInner(t) }) })
	change(func() { x := someInner(t); v.Ptr = &x })
	change(func() { v.Ptr = nil })
	change(func() { n := rapid.Int().Draw(t, "deep"); p := &n; v.Deep = &p })
	change(func() { v.Texts = someList(t, func() string { return someText(t) }) })
	change(func() { v.Addr, v.Port = ip(), netip.AddrPortFrom(ip(), uint16(len(v.Name))) })
	change(func() { v.Net = netip.PrefixFrom(ip(), rapid.IntRange(-1, 40).Draw(t, "bits")) })
	change(func() { v.Addr = netip.Addr{} })
	change(func() { v.Array[1], v.Arrays[1] = byte(v.Count), someInner(t) })
	return &v
}

// What is read is what was written, to the bit, whatever its base.
func TestValuesComeBackExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, d := pack.NewEncoder(), pack.NewDecoder()
		c := e.Coder(reflect.TypeFor[outer]())
		typ, err := pack.Parse(c.Describe())
		if err != nil {
			t.Fatal(err)
		}
		src := d.Source(typ)
		history := []*outer{nil}
		read := []pack.Value{{}}
		for range rapid.IntRange(1, 12).Draw(t, "values") {
			i := rapid.IntRange(max(0, len(history)-3), len(history)-1).Draw(t, "base")
			was := history[i]
			v := some(t, outer{})
			if was != nil {
				v = some(t, *was)
			}
			e.Now = v.Since + time.Duration(rapid.IntRange(-9, 9).Draw(t, "now"))
			d.Now = e.Now
			e.B = e.B[:0]
			if was == nil {
				c.Write(v, nil)
			} else {
				c.Write(v, was)
			}
			d.Take(bytes.Clone(e.B))
			got := src.Read(read[i])
			var out outer
			if err := got.Into(&out); err != nil || d.Bad || len(d.B) > 0 {
				t.Fatalf("%v, bad %v, %d bytes left", err, d.Bad, len(d.B))
			}
			if !exact(reflect.ValueOf(*v), reflect.ValueOf(out)) {
				t.Fatalf("wrote %+v\nread %+v", *v, out)
			}
			history, read = append(history, v), append(read, got)
		}
	})
}

// A value as JSON is what package json makes of the Go value.
func TestJSONIsThatOfPackageJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := some(t, outer{})
		v.F, v.Net = 1.5e-9, netip.MustParsePrefix("10.1.0.0/16")
		want, err := json.Marshal(v)
		if err != nil {
			t.Skip(err) // a value that JSON does not have, NaN say: another one is drawn
		}
		e, d := pack.NewEncoder(), pack.NewDecoder()
		c := e.Coder(reflect.TypeFor[outer]())
		c.Write(v, nil)
		typ, _ := pack.Parse(c.Describe())
		d.Take(e.B)
		if got := d.Source(typ).Read(pack.Value{}).JSON(); string(got) != string(want) {
			t.Fatalf("%s\nwant %s", got, want)
		}
	})
}

// An older or newer type reads what it has in common with the one that was written.
func TestFieldsGoByName(t *testing.T) {
	type before struct {
		Gone struct{ A, B string }
		Kept int64
		In   struct{ X, Y int }
	}
	type after struct {
		In   struct{ Y, New int }
		Kept time.Duration
		New  []string
	}
	e, d := pack.NewEncoder(), pack.NewDecoder()
	c := e.Coder(reflect.TypeFor[before]())
	v := before{Kept: 7}
	v.Gone.B, v.In.X, v.In.Y = "b", 1, 2
	c.Write(&v, nil)
	typ, err := pack.Parse(c.Describe())
	if err != nil {
		t.Fatal(err)
	}
	d.Take(e.B)
	got := d.Source(typ).Read(pack.Value{})
	var out after
	if err := got.Into(&out); err != nil || out.Kept != 7 || out.In.Y != 2 || out.New != nil {
		t.Errorf("%+v, %v", out, err)
	}
	var no struct{ Kept string }
	if err := got.Into(&no); err == nil {
		t.Error("a number was read into a text")
	}
	var small struct{ Kept int8 }
	v.Kept = 1000
	e.B = nil
	c.Write(&v, nil)
	d.Take(e.B)
	if err := d.Source(typ).Read(pack.Value{}).Into(&small); err == nil {
		t.Error("1000 was read into 8 bits")
	}
}

// Damage is noticed or reads as something else; it never brings the reader down.
func TestDamageBringsNothingDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, d := pack.NewEncoder(), pack.NewDecoder()
		c := e.Coder(reflect.TypeFor[outer]())
		c.Write(some(t, *some(t, outer{})), nil)
		b := bytes.Clone(e.B)
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		desc := []byte(c.Describe())
		if rapid.Bool().Draw(t, "type") {
			desc[rapid.IntRange(0, len(desc)-1).Draw(t, "place")] = rapid.Byte().Draw(t, "letter")
		}
		typ, err := pack.Parse(string(desc))
		if err != nil {
			return
		}
		d.Take(b)
		src := d.Source(typ)
		v := src.Read(pack.Value{})
		if v.IsZero() != d.Bad {
			t.Fatalf("bad %v, value %s", d.Bad, v.JSON())
		}
		_, _ = v.JSON(), v.Into(&outer{})
	})
}
