package hubbench_test

import (
	"os"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/hub/hubbench"
)

func TestMain(m *testing.M) { os.Exit(hubbench.Test(m.Run)) }

// A measurement times what it was told to, with three processes, and leaves none of them.
func TestMeasure(t *testing.T) {
	r, err := hubbench.Measure(hubbench.Options{Dir: t.TempDir(), Puts: 2000, Turns: 2000,
		LateRows: 10000})
	t.Logf("%+v", r)
	if err != nil || r.P50 <= 0 || r.P99 < r.P50 || r.LateSync <= 0 || r.Durable <= 0 ||
		r.DurableAlone <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
