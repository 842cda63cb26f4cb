package main

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub/wiring"
	"github.com/evetwin/evetwin/core/agents/roster"
)

// Every row, request and result that agents exchange passes through a hub as JSON and is the same
// behind it, the largest integers and odd bytes included.
func TestAllThatAgentsExchangePassesThroughAHub(t *testing.T) {
	w := wiring.Of(roster.Agents()...)
	if len(w.Pubs) < 20 || len(w.Subs) < 20 || len(w.Ops) < 20 {
		t.Fatalf("%d, %d and %d things are wired", len(w.Pubs), len(w.Subs), len(w.Ops))
	}
	for _, d := range append(w.Pubs, w.Subs...) {
		row := d.NewRow()
		fill(reflect.ValueOf(row).Elem())
		b, err := json.Marshal(row)
		if err != nil {
			t.Errorf("%s: %v", d, err)
			continue
		}
		if back, err := d.Decode(b); err != nil || !d.Equal(row, back) {
			t.Errorf("%s: %+v came back as %+v, %v", d, row, back, err)
		}
	}
	for _, o := range w.Ops {
		for _, v := range []any{o.NewReq(), o.NewRes()} {
			fill(reflect.ValueOf(v).Elem())
			b, err := json.Marshal(v)
			back := reflect.New(reflect.TypeOf(v).Elem())
			if err == nil {
				err = json.Unmarshal(b, back.Interface())
			}
			if err != nil || !reflect.DeepEqual(v, back.Interface()) {
				t.Errorf("%s: %+v came back as %+v, %v", o.Name, v, back, err)
			}
		}
	}
}

// fill gives every field something that is lost easily.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1<<33, 123456789).UTC()))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.MustParseAddr("fe80::1%eth0")))
		return
	case netip.Prefix:
		v.Set(reflect.ValueOf(netip.MustParsePrefix("10.1.2.3/8")))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.MustParseAddrPort("[fe80::1%eth0]:65535")))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.String:
		v.SetString("ä<&>\u2028\"\\\x7f ")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.1)
	default:
		if v.CanInt() {
			v.SetInt(-1 << (v.Type().Bits() - 1))
		} else {
			v.SetUint(1<<(v.Type().Bits()) - 1)
		}
	}
}
