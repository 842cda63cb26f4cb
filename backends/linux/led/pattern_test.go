package led

import (
	"testing"
	"time"
)

func TestPatternsRepeat(t *testing.T) {
	const round = 3*2*blink + pause
	for first := range 2 {
		var all, lit time.Duration
		for n := range 7 {
			on, length := piece(3, 7*first+n)
			if all += length; on {
				lit += length
			}
			if on != (n%2 == 0 && n < 6) {
				t.Errorf("piece %d of round %d: on %v", n, first, on)
			}
		}
		if all != round || lit != 3*blink {
			t.Errorf("round %d takes %v with %v of light", first, all, lit)
		}
	}
	if on, length := piece(0, 0); on || length != 0 {
		t.Error("no blinks, and it is on or ends")
	}
}

func TestTriggersAreTold(t *testing.T) {
	for list, want := range map[string]string{"none [heartbeat] timer\n": "heartbeat",
		"[none] timer": "none", "": "none", "none timer": "none"} {
		if got := chosen(list); got != want {
			t.Errorf("%q has %q chosen, want %q", list, got, want)
		}
	}
}
