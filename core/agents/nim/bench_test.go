package nim_test

import (
	"testing"
	"time"
)

// BenchmarkCalmTest is one periodic test of a calm device with two ports: the turns of a test, the
// full turns and rebuilds that the bench forces included.
func BenchmarkCalmTest(b *testing.B) {
	l := newLab(b, "eth0", "eth1")
	l.settings()
	l.wish(dpc("zedagent", 1, "eth0", "eth1"))
	l.run()
	b.ReportAllocs()
	for b.Loop() {
		l.Advance(5*minute + time.Second)
		l.run()
	}
}
