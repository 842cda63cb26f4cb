package page

import (
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// The pattern of the light: so many blinks, then a pause.
const (
	blinkOn    = 200 * time.Millisecond
	blinkOff   = 200 * time.Millisecond
	blinkPause = 1200 * time.Millisecond
)

// Blink is the code that a device's light shows.
func Blink(s *source.State) node.LedBlinkCount {
	if l := source.Get(s, node.LedShown, entity.Global); l != nil && !s.Device.Off {
		return l.BlinkCounter
	}
	return node.LedUndefined
}

// Lit is whether the light is on at a time, and for how long it stays so; 0 is for ever.
func Lit(code node.LedBlinkCount, at time.Duration) (on bool, rest time.Duration) {
	if code == node.LedUndefined || at < 0 {
		return false, 0
	}
	blinks := time.Duration(code) * (blinkOn + blinkOff)
	at %= blinks + blinkPause
	if at >= blinks {
		return false, blinks + blinkPause - at
	}
	if at %= blinkOn + blinkOff; at < blinkOn {
		return true, blinkOn - at
	}
	rest = blinkOn + blinkOff - at
	return false, rest
}

// shortly are the meanings of the codes where there is little room.
var shortly = map[node.LedBlinkCount]string{
	node.LedWaitingForIP: "no address", node.LedConnecting: "connecting",
	node.LedConnected: "connected, not onboarded", node.LedOnboarded: "onboarded",
	node.LedRadioSilence: "radio silence", node.LedOnboardingFailure: "onboarding failed",
	node.LedResponseWithoutTLS: "answer without TLS", node.LedInvalidCert: "bad certificates",
	node.LedInvalidAuthContainer: "bad signature", node.LedInvalidBootstrap: "bad bootstrap config",
	node.LedOnboardingConflict: "onboarding conflict", node.LedOnboardingNotFound: "device not known",
}

// light is the fact about the light.
func light(s *Stage, width int) widget.Line {
	code := Blink(s.State)
	role := style.Good
	switch {
	case code == node.LedUndefined:
		return widget.Text(style.Dim, s.Theme.Off+" dark")
	case code >= node.LedOnboardingFailure:
		role = style.Bad
	case code < node.LedOnboarded:
		role = style.Busy
	case code == node.LedRadioSilence:
		role = style.Warn
	}
	sign := widget.Text(style.Dim, s.Theme.Off)
	if s.Lit {
		sign = widget.Text(role, s.Theme.On)
	}
	sign = sign.Put(role, " "+strconv.Itoa(int(code))+" ")
	text := code.String()
	if sign.Width()+len(text) > width {
		text = or(shortly[code], text)
	}
	return sign.Put(style.Plain, text)
}
