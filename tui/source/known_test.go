package source

import (
	"net/netip"
	"reflect"
	"sort"
	"testing"
)

// fill gives every field of a row a value of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, 0, byte(*n >> 8), byte(*n)})))
		return
	case netip.Prefix:
		v.Set(reflect.ValueOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)}), 24)))
		return
	}
	if v.Type() == reflect.TypeFor[netip.AddrPort]() {
		v.Set(reflect.ValueOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(*n)}), 9)))
		return
	}
	if v.Type() == reflect.TypeOf(began()) {
		v.Set(reflect.ValueOf(began().AddDate(0, 0, *n)))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("text " + string(rune('a'+*n%26)))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n%100 + 1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n%100 + 1))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n) / 2)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	}
}

// TestEveryRowSurvivesTheSocket would fail for a field that another one hides in JSON.
func TestEveryRowSurvivesTheSocket(t *testing.T) {
	r := known()
	var list []string
	for name := range r {
		list = append(list, name)
	}
	sort.Strings(list)
	for _, name := range list {
		d, n := r[name], 0
		row := reflect.New(d.RowType())
		fill(row.Elem(), &n)
		if back := r.decode(name, encode(row.Interface())); reflect.TypeOf(back) != row.Type() ||
			!d.Equal(back, row.Interface()) {
			t.Errorf("%s changes on its way:\nsent %s\ngot  %s", name, encode(row.Interface()),
				encode(back))
		}
	}
}
