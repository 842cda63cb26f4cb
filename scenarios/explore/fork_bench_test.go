package explore_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/explore"
)

// BenchmarkStandard explores the standard scenario under flaky faults; an op is a seed.
func BenchmarkStandard(b *testing.B) {
	sc, err := scenarios.Find("standard")
	if err != nil {
		b.Fatal(err)
	}
	p, err := fault.Named(fault.Flaky)
	if err != nil {
		b.Fatal(err)
	}
	for _, forks := range []int{0, 7} {
		b.Run(fmt.Sprintf("forks=%d", forks), func(b *testing.B) {
			b.ReportAllocs()
			began := processorTime(b)
			if _, err := explore.Explore(context.Background(), explore.Options{Scenario: sc, Profile: p,
				Seeds: uint64(b.N), Jobs: 1, Forks: forks}); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric((processorTime(b)-began).Seconds()*1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// processorTime is what the process has used, on all cores: unlike the time that passes it does not
// depend on what else the machine does.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
