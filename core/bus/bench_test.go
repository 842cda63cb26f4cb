package bus_test

import (
	"fmt"
	"testing"

	"github.com/evetwin/evetwin/core/bus"
)

func filled(b *testing.B, n int) (*desk, *bus.Pub[item], []item) {
	b.Helper()
	d := newDesk("maker")
	p := bus.Publish(d, bus.NewTopic[item](bus.Decl{Owner: "maker", Name: "Item", MaxRows: n}))
	rows := make([]item, n)
	for i := range rows {
		rows[i] = item{Name: fmt.Sprintf("row-%06d", i), Tags: []string{"a", "b"}}
		p.Put(rows[i])
	}
	return d, p, rows
}

func BenchmarkPut(b *testing.B) {
	for _, n := range []int{1, 50, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			_, p, rows := filled(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := &rows[i*7919%n]
				r.N++
				p.Put(*r)
			}
		})
	}
}

func BenchmarkPutEqual(b *testing.B) {
	_, p, rows := filled(b, 50)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Put(rows[i*7%50])
	}
}

func BenchmarkScan50(b *testing.B) {
	_, p, _ := filled(b, 50)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, r := range p.All() {
			n += r.N
		}
	}
}

// BenchmarkDeliver is a put, and the change as a subscriber iterates it.
func BenchmarkDeliver(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d, p, rows := filled(b, n)
			s := bus.Subscribe(d, bus.Topic[item]{Decl: p.Topic()})
			d.turn()
			d.turn()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := &rows[i*7919%n]
				r.N++
				p.Put(*r)
				d.turn()
				for range s.Changed() {
					r.N++
				}
			}
		})
	}
}
