package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host"
)

func record(n int, keys ...string) *host.Record {
	r := &host.Record{Agent: "a", Turn: uint64(n)}
	for _, k := range keys {
		s := host.Stored{Topic: "a/T", Key: strings.TrimPrefix(k, "-"), Rev: uint64(n)}
		if k[0] != '-' {
			s.Val = fmt.Appendf(nil, "%d", n)
		}
		r.Rows = append(r.Rows, s)
	}
	return r
}

func (j *journal) text() (out string) {
	for _, s := range j.rows() {
		out += fmt.Sprintf("%s=%s ", s.Key, s.Val)
	}
	return out
}

// A record counts from the instant it is durable; one that is under way when the power goes is
// there whole or not at all.
func TestTheSimulatedJournal(t *testing.T) {
	for draw, want := range map[uint64]string{0: "b=4 c=4 ", 1: "a=1 b=2 "} {
		var j journal
		j.write(record(1, "a", "b"), 0, 10)
		j.write(record(2, "b"), 1, 12)
		j.write(record(3, "x"), 2, 30)
		j.write(record(4, "b", "c", "-a"), 3, 20)
		j.write(record(5, "-x"), 4, 40)
		for at, text := range map[time.Duration]string{9: "", 10: "a=1 b=1 ", 12: "a=1 b=2 "} {
			i := j
			i.kept = nil
			i.pending = append([]writing(nil), j.pending...)
			i.settle(at)
			if got := i.text(); got != text {
				t.Errorf("at %d: %q, want %q", at, got, text)
			}
		}
		j.cut(15, func(string) uint64 { return draw })
		if got := j.text(); got != want {
			t.Errorf("after the cut: %q, want %q", got, want)
		}
		j.cut(1000, func(string) uint64 { return 0 })
		if got := j.text(); got != want {
			t.Errorf("something landed after the cut: %q, want %q", got, want)
		}
	}
}
