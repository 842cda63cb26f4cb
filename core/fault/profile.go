package fault

import (
	"fmt"
	"strings"
)

// Profile says what happens at a kind of site: how often, how long, how hard.
type Profile struct {
	Name  string `json:"name"`
	Rates []Rate `json:"rates"`
}

// Rate is how often a kind happens.
type Rate struct {
	Kind Kind `json:"kind"`
	// Seeds is the share of seeds that have the kind at all, in per cent.
	Seeds uint8 `json:"seeds"`
	// PerHour is how many there are on average where there are any; one at least.
	PerHour float64 `json:"per_hour"`
	// Least and Most bound how long one lasts.
	Least Seconds `json:"least_s,omitempty"`
	Most  Seconds `json:"most_s,omitempty"`
	// Low and High bound Value; Values lists it instead.
	Low    int64   `json:"low,omitempty"`
	High   int64   `json:"high,omitempty"`
	Values []int64 `json:"values,omitempty"`
	// Nth bounds N; 0: each occasion.
	Nth uint64 `json:"nth,omitempty"`
	// On limits what it may be about to these names of the menu; empty: all.
	On []string `json:"on,omitempty"`
}

// Names of the profiles there are.
const (
	None   = "none"
	Calm   = "calm"   // a good site: a little of what cannot be helped
	Flaky  = "flaky"  // a bad site: cables, servers and power as they come and go
	Brutal = "brutal" // everything, also what no site ever saw in one hour
)

// Profiles are the names of all profiles, the mildest first.
func Profiles() []string { return []string{None, Calm, Flaky, Brutal} }

// Named is the profile of a name.
func Named(name string) (Profile, error) {
	switch name {
	case None:
		return Profile{Name: None}, nil
	case Calm:
		return Profile{Calm, calm}, nil
	case Flaky:
		return Profile{Flaky, flaky}, nil
	case Brutal:
		return Profile{Brutal, brutal}, nil
	}
	return Profile{}, fmt.Errorf("there is no fault profile %q, want one of %s", name,
		strings.Join(Profiles(), ", "))
}

var calm = []Rate{
	{Kind: LinkLoss, Seeds: 40, PerHour: 3, Least: 10, Most: 300, Low: 1, High: 5},
	{Kind: LinkDelay, Seeds: 40, PerHour: 3, Least: 10, Most: 300, Low: 5, High: 200},
	{Kind: LinkDown, Seeds: 20, PerHour: 1, Least: 1, Most: 30},
	{Kind: OpDelay, Seeds: 40, PerHour: 6, Least: 10, Most: 120, Low: 10, High: 2000, Nth: 3},
	{Kind: AgentSlow, Seeds: 40, PerHour: 3, Least: 5, Most: 120, Low: 1, High: 200},
	{Kind: AgentCrash, Seeds: 20, PerHour: 1},
	{Kind: HostGone, Seeds: 20, PerHour: 1, Least: 5, Most: 60},
	{Kind: DNSGone, Seeds: 10, PerHour: 1, Least: 5, Most: 60},
	{Kind: ControllerGone, Seeds: 20, PerHour: 1, Least: 5, Most: 60},
	{Kind: ControllerStatus, Seeds: 30, PerHour: 2, Least: 5, Most: 60, Values: []int64{500, 503}},
	{Kind: ControllerDelay, Seeds: 30, PerHour: 2, Least: 10, Most: 120, Low: 100, High: 10_000},
	{Kind: ControllerRotate, Seeds: 10, PerHour: 0.5},
	{Kind: ClockDrift, Seeds: 20, PerHour: 1, Least: 60, Most: 1200, Low: -200, High: 200},
	{Kind: PowerCut, Seeds: 10, PerHour: 0.5, Least: 5, Most: 30},
}

var flaky = []Rate{
	{Kind: LinkDown, Seeds: 50, PerHour: 4, Least: 1, Most: 300},
	{Kind: LinkFlap, Seeds: 40, PerHour: 2, Least: 10, Most: 120, Low: 2000, High: 20_000},
	{Kind: LinkLoss, Seeds: 50, PerHour: 6, Least: 10, Most: 600, Low: 1, High: 40},
	{Kind: LinkDelay, Seeds: 50, PerHour: 6, Least: 10, Most: 600, Low: 20, High: 2000},
	{Kind: DHCPGone, Seeds: 40, PerHour: 2, Least: 10, Most: 600},
	{Kind: DHCPMoved, Seeds: 20, PerHour: 1, Least: 60, Most: 600},
	{Kind: OutsideGone, Seeds: 40, PerHour: 2, Least: 10, Most: 300},
	{Kind: DNSGone, Seeds: 40, PerHour: 2, Least: 10, Most: 300},
	{Kind: DNSRefuse, Seeds: 20, PerHour: 1, Least: 10, Most: 300},
	{Kind: ProxyRefuse, Seeds: 40, PerHour: 2, Least: 10, Most: 300},
	{Kind: HostGone, Seeds: 40, PerHour: 3, Least: 10, Most: 300},
	{Kind: ControllerGone, Seeds: 40, PerHour: 2, Least: 10, Most: 600},
	{Kind: ControllerStatus, Seeds: 40, PerHour: 4, Least: 5, Most: 300,
		Values: []int64{404, 429, 500, 502, 503, 504}},
	{Kind: ControllerDelay, Seeds: 40, PerHour: 3, Least: 10, Most: 300, Low: 100, High: 60_000},
	{Kind: ControllerUnread, Seeds: 30, PerHour: 2, Least: 5, Most: 120},
	{Kind: ControllerClose, Seeds: 30, PerHour: 2, Least: 5, Most: 120},
	{Kind: ControllerTruncate, Seeds: 30, PerHour: 2, Least: 5, Most: 120},
	{Kind: ControllerTwice, Seeds: 30, PerHour: 2, Least: 5, Most: 300},
	{Kind: ControllerLate, Seeds: 20, PerHour: 2, Least: 5, Most: 60, Low: 100, High: 30_000},
	{Kind: ControllerAgain, Seeds: 20, PerHour: 2, Least: 5, Most: 120, Low: 100, High: 30_000},
	{Kind: ControllerRotate, Seeds: 20, PerHour: 1},
	{Kind: OpDelay, Seeds: 50, PerHour: 10, Least: 10, Most: 120, Low: 10, High: 10_000, Nth: 3},
	{Kind: OpFail, Seeds: 50, PerHour: 6, Least: 10, Most: 120, Nth: 3},
	{Kind: OpHang, Seeds: 20, PerHour: 2, Least: 10, Most: 120, Nth: 2},
	{Kind: AgentSlow, Seeds: 50, PerHour: 4, Least: 5, Most: 120, Low: 1, High: 1000},
	{Kind: AgentCrash, Seeds: 50, PerHour: 6},
	{Kind: PowerCut, Seeds: 40, PerHour: 2, Least: 1, Most: 60},
	{Kind: PowerWithin, Seeds: 20, PerHour: 1, Least: 60, Most: 600, Nth: 3},
	{Kind: PowerInOp, Seeds: 20, PerHour: 1, Least: 60, Most: 600, Nth: 2, High: 500},
	{Kind: DiskFull, Seeds: 20, PerHour: 1, Least: 30, Most: 300, Values: []int64{0, 4, 64}},
	{Kind: Clock1970, Seeds: 20, PerHour: 1, Least: 600, Most: 1800},
	{Kind: ClockJump, Seeds: 30, PerHour: 2, Least: 30, Most: 600, Low: -3600, High: 3600},
	{Kind: ClockDrift, Seeds: 30, PerHour: 1, Least: 60, Most: 1800, Low: -500, High: 500},
}

var brutal = []Rate{
	{Kind: LinkDown, Seeds: 50, PerHour: 12, Least: 1, Most: 300},
	{Kind: LinkFlap, Seeds: 50, PerHour: 6, Least: 10, Most: 120, Low: 1000, High: 20_000},
	{Kind: LinkLoss, Seeds: 50, PerHour: 10, Least: 10, Most: 600, Low: 1, High: 95},
	{Kind: LinkDelay, Seeds: 50, PerHour: 10, Least: 10, Most: 600, Low: 20, High: 10_000},
	{Kind: DHCPGone, Seeds: 50, PerHour: 4, Least: 10, Most: 900},
	{Kind: DHCPMoved, Seeds: 50, PerHour: 4, Least: 10, Most: 600},
	{Kind: OutsideGone, Seeds: 50, PerHour: 6, Least: 10, Most: 300},
	{Kind: DNSGone, Seeds: 50, PerHour: 6, Least: 10, Most: 300},
	{Kind: DNSRefuse, Seeds: 50, PerHour: 4, Least: 10, Most: 300},
	{Kind: DNSWrong, Seeds: 50, PerHour: 6, Least: 10, Most: 300, High: 2},
	{Kind: ProxyRefuse, Seeds: 50, PerHour: 6, Least: 10, Most: 300},
	{Kind: HostGone, Seeds: 50, PerHour: 6, Least: 10, Most: 300},
	{Kind: ControllerGone, Seeds: 50, PerHour: 6, Least: 10, Most: 600},
	{Kind: ControllerStatus, Seeds: 50, PerHour: 10, Least: 5, Most: 300,
		Values: []int64{400, 401, 403, 404, 409, 422, 429, 500, 501, 502, 503, 504}},
	{Kind: ControllerDelay, Seeds: 50, PerHour: 6, Least: 10, Most: 300, Low: 100, High: 600_000},
	{Kind: ControllerUnread, Seeds: 50, PerHour: 6, Least: 5, Most: 120},
	{Kind: ControllerClose, Seeds: 50, PerHour: 6, Least: 5, Most: 120},
	{Kind: ControllerTruncate, Seeds: 50, PerHour: 6, Least: 5, Most: 120},
	{Kind: ControllerEmpty, Seeds: 50, PerHour: 4, Least: 5, Most: 120},
	{Kind: ControllerCorrupt, Seeds: 50, PerHour: 6, Least: 5, Most: 120},
	{Kind: ControllerTwice, Seeds: 50, PerHour: 4, Least: 5, Most: 300},
	{Kind: ControllerRepeat, Seeds: 50, PerHour: 4, Least: 5, Most: 300},
	{Kind: ControllerLate, Seeds: 50, PerHour: 6, Least: 5, Most: 120, Low: 100, High: 60_000},
	{Kind: ControllerAgain, Seeds: 50, PerHour: 6, Least: 5, Most: 120, Low: 100, High: 60_000},
	{Kind: ControllerStale, Seeds: 50, PerHour: 2, Least: 30, Most: 600},
	{Kind: ControllerStranger, Seeds: 50, PerHour: 4, Least: 5, Most: 300},
	{Kind: ControllerForged, Seeds: 50, PerHour: 4, Least: 5, Most: 300},
	{Kind: ControllerExpired, Seeds: 50, PerHour: 2, Least: 30, Most: 600},
	{Kind: ControllerRotate, Seeds: 50, PerHour: 4},
	{Kind: ControllerSkew, Seeds: 30, PerHour: 2, Least: 30, Most: 1200, Low: -86400, High: 86400},
	{Kind: ControllerWrongType, Seeds: 50, PerHour: 4, Least: 5, Most: 120},
	{Kind: OpDelay, Seeds: 50, PerHour: 40, Least: 10, Most: 300, Low: 10, High: 30_000, Nth: 5},
	{Kind: OpFail, Seeds: 50, PerHour: 30, Least: 10, Most: 300, Nth: 5},
	{Kind: OpHang, Seeds: 50, PerHour: 10, Least: 10, Most: 300, Nth: 3},
	{Kind: OpDeny, Seeds: 50, PerHour: 20, Least: 10, Most: 300, Nth: 5},
	{Kind: AgentSlow, Seeds: 50, PerHour: 10, Least: 5, Most: 300, Low: 1, High: 10_000},
	{Kind: AgentCrash, Seeds: 50, PerHour: 30},
	{Kind: PowerCut, Seeds: 50, PerHour: 6, Least: 1, Most: 60},
	{Kind: PowerBefore, Seeds: 50, PerHour: 3, Least: 30, Most: 300, Nth: 5},
	{Kind: PowerWithin, Seeds: 50, PerHour: 3, Least: 30, Most: 300, Nth: 5},
	{Kind: PowerAfter, Seeds: 50, PerHour: 3, Least: 30, Most: 300, Nth: 5},
	{Kind: PowerInOp, Seeds: 50, PerHour: 4, Least: 30, Most: 300, Nth: 3, High: 2000},
	{Kind: DiskFull, Seeds: 50, PerHour: 4, Least: 10, Most: 300,
		Values: []int64{0, 0, 1, 16, 256, 1024}},
	{Kind: BitRot, Seeds: 50, PerHour: 6, Least: 10, Most: 600, High: 1000},
	{Kind: Clock1970, Seeds: 50, PerHour: 2, Least: 300, Most: 1800},
	{Kind: ClockJump, Seeds: 50, PerHour: 6, Least: 10, Most: 600, Low: -864_000, High: 864_000},
	{Kind: ClockDrift, Seeds: 50, PerHour: 2, Least: 60, Most: 1800, Low: -50_000, High: 50_000},
}
