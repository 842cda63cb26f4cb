package node

import "github.com/evetwin/evetwin/core/bus"

// LedBlinkCount is what an agent wants the LED to say; the numbers are EVE's.
type LedBlinkCount uint8

// LED codes.
const (
	LedUndefined            LedBlinkCount = 0
	LedWaitingForIP         LedBlinkCount = 1
	LedConnecting           LedBlinkCount = 2
	LedConnected            LedBlinkCount = 3
	LedOnboarded            LedBlinkCount = 4
	LedRadioSilence         LedBlinkCount = 5
	LedOnboardingFailure    LedBlinkCount = 10
	LedResponseWithoutTLS   LedBlinkCount = 12
	LedInvalidCert          LedBlinkCount = 14
	LedInvalidAuthContainer LedBlinkCount = 15
	LedInvalidBootstrap     LedBlinkCount = 16
	LedOnboardingConflict   LedBlinkCount = 17
	LedOnboardingNotFound   LedBlinkCount = 18
)

// LedBlinkCounter is an agent's word on the LED. Of several, the one written last counts, by Since.
type LedBlinkCounter struct {
	BlinkCounter LedBlinkCount
	Since        int64 // ns since boot at which this code was first wanted
}

// Key is "ledconfig".
func (LedBlinkCounter) Key() string { return "ledconfig" }

// Led is the topic of every agent that may speak through the LED.
var Led = bus.NewFamily[LedBlinkCounter](bus.Decl{Name: "LedBlinkCounter"},
	"zedclient", "zedagent", "nim")

// LedStatus is the code that shows, as derived by ledmanager.
type LedStatus struct{ BlinkCounter LedBlinkCount }

// Key is "global".
func (LedStatus) Key() string { return "global" }

// LedShown is ledmanager's topic.
var LedShown = bus.NewTopic[LedStatus](bus.Decl{Owner: "ledmanager", Name: "LedStatus"})

// String is what the code means, for people.
func (c LedBlinkCount) String() string {
	switch c {
	case LedWaitingForIP:
		return "waiting for an IP address"
	case LedConnecting:
		return "trying to connect to the controller"
	case LedConnected:
		return "connected to the controller, not onboarded"
	case LedOnboarded:
		return "connected to the controller and onboarded"
	case LedRadioSilence:
		return "radio silence is imposed"
	case LedOnboardingFailure:
		return "onboarding failed"
	case LedResponseWithoutTLS:
		return "the controller answered without TLS"
	case LedInvalidCert:
		return "the controller's certificates could not be fetched or verified"
	case LedInvalidAuthContainer:
		return "the controller's signature is missing or wrong"
	case LedInvalidBootstrap:
		return "the bootstrap configuration is invalid"
	case LedOnboardingConflict:
		return "onboarding: another device has this identity"
	case LedOnboardingNotFound:
		return "onboarding: the controller does not know this device"
	}
	return "unknown"
}
