package zedrouter

import (
	"testing"
	"time"
)

// BenchmarkPortChange is what a change of the ports costs with ten applications.
func BenchmarkPortChange(b *testing.B) {
	t := &testing.T{}
	x := newBench(t)
	x.instance(local(ni1, "uplink", 1))
	for i := range 10 {
		x.app(guest(app1[:len(app1)-1]+string(rune('0'+i)), ni1))
	}
	x.run()
	p, q := port("eth0"), port("eth1")
	q.Alias = "x"
	for i := range b.N {
		p.MacAddr = string(rune('a' + i%2))
		x.ports(p, q)
		x.Advance(time.Second)
	}
}
