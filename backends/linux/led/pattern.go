package led

import "time"

// Lengths of a pattern's pieces.
const (
	blink = 200 * time.Millisecond
	pause = 1200 * time.Millisecond
)

// piece says whether the light is on at the n-th piece of a pattern, counted from 0, and for how
// long. A pattern without blinks is one piece that does not end.
func piece(blinks, n int) (on bool, length time.Duration) {
	if blinks <= 0 {
		return false, 0
	}
	switch n %= 2*blinks + 1; {
	case n == 2*blinks:
		return false, pause
	default:
		return n%2 == 0, blink
	}
}
