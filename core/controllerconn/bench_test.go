package controllerconn_test

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host/rig"
)

// BenchmarkExchange is a whole exchange, signature and answer given by the bench: what it costs the
// agent in three turns, with the rebuilds and full turns that the bench forces.
func BenchmarkExchange(b *testing.B) {
	r := newRig(b, port("eth0", 0, "10.0.0.5"))
	o := info
	b.ReportAllocs()
	for b.Loop() {
		o.Again++
		rig.Put(r, orders, o)
		serve(r)
		code(r, "x", 304)
		r.Advance(10 * time.Second)
	}
}
