package bus_test

import (
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/evetwin/evetwin/core/bus"
)

// leafy has one field of every kind that rows may hold.
type leafy struct {
	B    bool
	I8   int8
	U16  uint16
	I32  int32
	N    int
	U    uint
	U64  uint64
	D    time.Duration
	F32  float32
	F64  float64
	S    string
	Raw  []byte
	Arr  [2]uint16
	Addr netip.Addr
	Net  netip.Prefix
	AP   netip.AddrPort
}

type tree struct {
	Name string
	One  leafy
	Ptr  *leafy
	Many []leafy
	Ptrs []*string
}

func drawLeafy(t *rapid.T) leafy {
	small := rapid.IntRange(-2, 2)
	a := netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(0, 2).Draw(t, "addr"))})
	if rapid.Bool().Draw(t, "zone") {
		a = netip.MustParseAddr("fe80::1%eth0")
	}
	return leafy{B: rapid.Bool().Draw(t, "b"), I8: int8(small.Draw(t, "i8")),
		U16: uint16(small.Draw(t, "u16")), I32: int32(small.Draw(t, "i32")),
		N: small.Draw(t, "n"), U: uint(small.Draw(t, "u")), U64: uint64(small.Draw(t, "u64")),
		D: time.Duration(small.Draw(t, "d")), F32: float32(small.Draw(t, "f32")) + 0.5,
		F64: float64(small.Draw(t, "f64")) + 0.25, S: rapid.StringN(0, 2, 9).Draw(t, "s"),
		Raw: rapid.SliceOfN(rapid.Byte(), 1, 12).Draw(t, "raw"),
		Arr: [2]uint16{uint16(small.Draw(t, "a0")), 1}, Addr: a,
		Net: netip.PrefixFrom(a.WithZone(""), rapid.IntRange(8, 9).Draw(t, "bits")),
		AP:  netip.AddrPortFrom(a, uint16(small.Draw(t, "port")))}
}

func drawTree(t *rapid.T) tree {
	x := tree{Name: rapid.StringN(0, 3, 30).Draw(t, "name"), One: drawLeafy(t)}
	if rapid.Bool().Draw(t, "ptr") {
		l := drawLeafy(t)
		x.Ptr = &l
	}
	for range rapid.IntRange(1, 3).Draw(t, "many") {
		x.Many = append(x.Many, drawLeafy(t))
		s := rapid.StringN(0, 1, 4).Draw(t, "p")
		x.Ptrs = append(x.Ptrs, &s, nil)
	}
	return x
}

func same[T any](s *bus.Shape, a, b *T) (eq, sum bool) {
	var x, y bus.Sum
	s.AddTo(&x, unsafe.Pointer(a))
	s.AddTo(&y, unsafe.Pointer(b))
	return s.Equal(unsafe.Pointer(a), unsafe.Pointer(b)), x == y
}

// Equality is reflect.DeepEqual's on drawn values, and sums agree with it; one field at a time is
// taken over from another value to get near misses.
func TestShapesAgreeWithDeepEqual(t *testing.T) {
	s := bus.ShapeOf(reflect.TypeFor[tree]())
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTree(t), drawTree(t)
		c := a
		f := rapid.IntRange(0, reflect.TypeFor[leafy]().NumField()-1).Draw(t, "field")
		reflect.ValueOf(&c.One).Elem().Field(f).Set(reflect.ValueOf(&b.One).Elem().Field(f))
		if a.Ptr != nil {
			l := *a.Ptr
			c.Ptr = &l
		}
		for _, x := range []*tree{&b, &c} {
			want := reflect.DeepEqual(&a, x)
			if eq, sum := same(s, &a, x); eq != want || sum != want {
				t.Fatalf("equal %v, equal sums %v, want %v:\n%+v\n%+v", eq, sum, want, a, *x)
			}
		}
	})
}

// Where rows differ from DeepEqual: a put has to end, and JSON must give the same row back.
func TestWhereRowsAreEqual(t *testing.T) {
	nan := math.NaN()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	one := bus.ShapeOf(reflect.TypeFor[struct {
		F    float64
		G    float32
		L    []string
		Raw  []byte
		When time.Time
	}]())
	type row = struct {
		F    float64
		G    float32
		L    []string
		Raw  []byte
		When time.Time
	}
	for _, c := range []struct {
		name  string
		a, b  row
		equal bool
	}{
		{"NaN is itself", row{F: nan, G: float32(nan)}, row{F: nan, G: float32(nan)}, true},
		{"signs of zero differ", row{F: 0}, row{F: math.Copysign(0, -1)}, false},
		{"nil and empty slice", row{L: nil, Raw: nil}, row{L: []string{}, Raw: []byte{}}, true},
		{"empty and one empty text", row{L: nil}, row{L: []string{""}}, false},
		{"texts that join alike", row{L: []string{"ab", "c"}}, row{L: []string{"a", "bc"}}, false},
		{"an instant in two zones", row{When: at},
			row{When: at.In(time.FixedZone("x", 3600))}, true},
		{"a nanosecond", row{When: at}, row{When: at.Add(1)}, false},
	} {
		if eq, sum := same(one, &c.a, &c.b); eq != c.equal || sum != c.equal {
			t.Errorf("%s: equal %v, equal sums %v", c.name, eq, sum)
		}
	}
}

type loop struct{ Next []loop }
type hidden struct {
	A int
	b int
}
type embeds struct{ hidden }

func TestShapesRefuseWhatHasNoOrderOrIdentity(t *testing.T) {
	_ = hidden{b: 1}.b
	for _, c := range []struct {
		what reflect.Type
		says string
	}{
		{reflect.TypeFor[struct{ M map[string]int }](), "map[string]int"},
		{reflect.TypeFor[struct{ M []any }](), "interface {}"},
		{reflect.TypeFor[struct{ F func() }](), "func()"},
		{reflect.TypeFor[struct{ C chan int }](), "chan int"},
		{reflect.TypeFor[struct{ P uintptr }](), "uintptr"},
		{reflect.TypeFor[struct{ P complex64 }](), "complex64"},
		{reflect.TypeFor[struct{ E error }](), "error"},
		{reflect.TypeFor[loop](), "holds itself"},
		{reflect.TypeFor[struct{ L *loop }](), "holds itself"},
		{reflect.TypeFor[hidden](), "b is not exported"},
		{reflect.TypeFor[embeds](), "hidden is not exported"},
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.Contains(r, c.says) {
					t.Errorf("%v: %q does not say %q", c.what, r, c.says)
				}
			}()
			bus.ShapeOf(c.what)
		}()
	}
}

// The checksum is part of traces that are compared between machines and builds: it must not move.
func TestSumsAreTheSameEverywhere(t *testing.T) {
	s := bus.ShapeOf(reflect.TypeFor[tree]())
	text := "text"
	l := leafy{true, -1, 2, -3, -4, 5, 1 << 63, time.Second, 1.5, -2.5, "a longer text",
		[]byte{1, 2, 3}, [2]uint16{1, 2}, netip.MustParseAddr("10.1.2.3"),
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParseAddrPort("[fe80::1%eth0]:80")}
	x := tree{"name", l, &l, []leafy{l}, []*string{nil, &text}}
	var sum bus.Sum
	s.AddTo(&sum, unsafe.Pointer(&x))
	if got := sum.Value(); got != golden || sum.Size != goldenSize {
		t.Fatalf("sum %#x of %d bytes", got, sum.Size)
	}
}

const (
	golden     = 0xca519367d38d8d68
	goldenSize = 660
)

func TestBytesSumAsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "b")
		var x, y, z bus.Sum
		x.Bytes(b)
		y.String(string(b))
		z.String(string(b) + "x")
		if x != y || x.Size != len(b) || x.Value() == z.Value() {
			t.Fatalf("%+v, %+v, %+v", x, y, z)
		}
	})
}

// Half of the bits of a mixed word move when one bit of it does.
func TestMixScatters(t *testing.T) {
	for bit := range 64 {
		moved := 0
		for n := range uint64(64) {
			x := n * 0x123456789ABCDEF
			d := bus.Mix(x) ^ bus.Mix(x^1<<bit)
			for ; d != 0; d &= d - 1 {
				moved++
			}
		}
		if moved < 64*26 || moved > 64*38 {
			t.Errorf("bit %d moves %d of %d bits", bit, moved, 64*64)
		}
	}
}
