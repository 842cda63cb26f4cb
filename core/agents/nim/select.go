package nim

import (
	"time"

	"github.com/evetwin/evetwin/core/topics/network"
)

// minSinceFailure is how long a configuration that failed is left alone.
const minSinceFailure = 5 * time.Minute

// testable reports whether to verify a configuration now: it can be used, and it did not fail just
// now. A failure of before this boot, or of a wall clock that ran ahead, does not count.
func (s *sheet) testable(d *network.DevicePortConfig) bool {
	if !usable(d) {
		return false
	}
	if d.LastFailed.IsZero() || d.Working() || d.LastFailed.After(s.t.Wall) {
		return true
	}
	f := s.n.failures.Get(identify(d).text())
	return f == nil || !f.LastFailed.Equal(d.LastFailed) || s.t.Now >= f.At+minSinceFailure
}

// nextTestable is the index of the next configuration to verify, from start on and then from the
// top, -1 if there is none. It never goes past a manual one, which is always the first: what the
// operator at the device set is not given up.
func (s *sheet) nextTestable(start int) int {
	n := len(s.list)
	if n > 0 && s.list[0].DPCKey == keyManual && usable(&s.list[0]) {
		start, n = 0, 1
	}
	for k := range n {
		if i := (start + k) % n; s.testable(&s.list[i]) {
			return i
		}
	}
	return -1
}

// current is the index of the configuration in use, -1 if there is none.
func (s *sheet) current() int {
	if s.trial.Current.DPCKey == "" {
		return -1
	}
	return index(s.list, s.trial.Current)
}
