package busbench_test

import (
	"testing"

	"github.com/evetwin/evetwin/core/host/live/busbench"
)

func measure(b *testing.B, rows int) {
	p50, p99, err := busbench.Measure(rows, max(b.N, 1000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(p50.Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(p99.Nanoseconds()), "p99-ns")
}

func BenchmarkPutToStep1(b *testing.B) { measure(b, 1) }

func BenchmarkPutToStep1000(b *testing.B) { measure(b, 1000) }

// A measurement puts as often as it was told, and every put arrives as one change.
func TestMeasure(t *testing.T) {
	for _, rows := range []int{1, 100} {
		p50, p99, err := busbench.Measure(rows, 500)
		if err != nil || p50 <= 0 || p99 < p50 {
			t.Errorf("%d rows: %v, %v, %v", rows, p50, p99, err)
		}
	}
}
