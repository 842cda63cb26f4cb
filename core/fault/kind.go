package fault

// Kind names a way in which something goes wrong.
type Kind string

// Kinds about runs of an op: On is the op, Key its key (empty: any), N which run since At counts
// (0: each until At+For).
const (
	// OpFail keeps a run from its part; the caller is told of a failure that may be tried again.
	OpFail Kind = "op-fail"
	// OpDelay holds a run back for Value ms.
	OpDelay Kind = "op-delay"
	// OpHang lets a run hang until it is cancelled or its limit passes.
	OpHang Kind = "op-hang"
	// OpDeny has the part do what was asked, and the caller told that it failed.
	OpDeny Kind = "op-deny"
	// PowerInOp cuts the power Value ms into a run, for PowerOff.
	PowerInOp Kind = "power-in-op"
)

// Kinds about agents: On is the agent.
const (
	AgentCrash Kind = "agent-crash" // it ends as if its process died; For means nothing
	AgentSlow  Kind = "agent-slow"  // its turns come Value ms late
)

// Kinds about power and disk.
const (
	// PowerCut takes the power away for For.
	PowerCut Kind = "power-cut"
	// PowerBefore, PowerWithin and PowerAfter cut the power around the N-th durable write since At
	// (0: the first), of the agent On (empty: any), for PowerOff.
	PowerBefore Kind = "power-before-write"
	PowerWithin Kind = "power-within-write"
	PowerAfter  Kind = "power-after-write"
	// DiskFull leaves Value KiB free on /persist, all the rest being taken by something else. Rows
	// that are to be durable and do not fit wait, and with them the agents that keep them.
	DiskFull Kind = "disk-full"
	// BitRot flips a bit of a stored blob: Value picks one of those there, modulo their count.
	BitRot Kind = "bit-rot"
)

// Kinds about cables and networks: On is the interface, the network or the server.
const (
	LinkDown  Kind = "link-down"
	LinkFlap  Kind = "link-flap"  // down and up, each for Value ms
	LinkLoss  Kind = "link-loss"  // Value per cent of the packets are lost
	LinkDelay Kind = "link-delay" // Value ms more for each packet, give or take half of it
	// DHCPGone silences the DHCP servers of a network.
	DHCPGone Kind = "dhcp-gone"
	// DHCPMoved gives a network another subnet, and gives it its own back at the end; the switch
	// restarts both times.
	DHCPMoved Kind = "dhcp-moved"
	// OutsideGone cuts a network off from all that is behind its router.
	OutsideGone Kind = "outside-gone"
	DNSGone     Kind = "dns-gone"   // a DNS server says nothing
	DNSRefuse   Kind = "dns-refuse" // a DNS server refuses
	// DNSWrong has a DNS server lie: Value 0 no name exists, 1 all are at an address where nobody is,
	// 2 all are at a server that is none of them.
	DNSWrong    Kind = "dns-wrong"
	ProxyRefuse Kind = "proxy-refuse" // a proxy takes no connections
	HostGone    Kind = "host-gone"    // a server of the outside is silent
)

// Kinds about the controller: On is the endpoint, empty for all.
const (
	ControllerGone      Kind = "controller-gone"       // it is silent; On means nothing
	ControllerStatus    Kind = "controller-status"     // it answers Value and does nothing
	ControllerDelay     Kind = "controller-delay"      // it answers Value ms late
	ControllerUnread    Kind = "controller-unread"     // it closes before it reads
	ControllerClose     Kind = "controller-close"      // it does what was asked and closes half way
	ControllerTruncate  Kind = "controller-truncate"   // answers end half way
	ControllerEmpty     Kind = "controller-empty"      // answers have no body
	ControllerCorrupt   Kind = "controller-corrupt"    // a bit of the payload is flipped
	ControllerTwice     Kind = "controller-twice"      // each request is handled twice
	ControllerRepeat    Kind = "controller-repeat"     // the answer before comes once more
	ControllerStale     Kind = "controller-stale"      // config is always "not modified"
	ControllerStranger  Kind = "controller-stranger"   // answers are signed by nobody known
	ControllerForged    Kind = "controller-forged"     // answers name a signer who did not sign
	ControllerExpired   Kind = "controller-expired"    // it rotates, and lists an expired certificate
	ControllerRotate    Kind = "controller-rotate"     // it signs with a new certificate from now on
	ControllerSkew      Kind = "controller-skew"       // its clock is Value seconds ahead, or behind
	ControllerWrongType Kind = "controller-wrong-type" // answers state another content type
	// ControllerLate has every other request reach the controller Value ms late, behind those that
	// were sent after it; its sender is told at once that the connection ended.
	ControllerLate Kind = "controller-late"
	// ControllerAgain has requests that were answered come in once more, Value ms later.
	ControllerAgain Kind = "controller-again"
)

// Kinds about the wall clock of the device.
const (
	Clock1970  Kind = "clock-1970"  // without power it forgets the time: a boot begins in 1970
	ClockJump  Kind = "clock-jump"  // Value seconds ahead, or behind
	ClockDrift Kind = "clock-drift" // Value parts per million too fast, or too slow
)

// What a fault's On names.
type What uint8

// What may be named.
const (
	Nothing What = iota
	AnOp
	AnAgent
	AnInterface
	ANetwork
	AResolver // a DNS server
	AProxy
	AHost // a server of the outside
	AnEndpoint
)

// spec is what a kind needs.
type spec struct {
	kind     Kind
	on       What
	any      bool  // On may be empty
	low, top int64 // of Value; both 0: it has none
	moment   bool  // For means nothing
	key, nth bool  // Key and N mean something
}

// specs are all kinds.
var specs = []spec{
	{kind: OpFail, on: AnOp, key: true, nth: true},
	{kind: OpDelay, on: AnOp, key: true, nth: true, low: 1, top: 3_600_000},
	{kind: OpHang, on: AnOp, key: true, nth: true},
	{kind: OpDeny, on: AnOp, key: true, nth: true},
	{kind: PowerInOp, on: AnOp, key: true, nth: true, top: 3_600_000},
	{kind: AgentCrash, on: AnAgent, moment: true},
	{kind: AgentSlow, on: AnAgent, low: 1, top: 60_000},
	{kind: PowerCut},
	{kind: PowerBefore, on: AnAgent, any: true, nth: true},
	{kind: PowerWithin, on: AnAgent, any: true, nth: true},
	{kind: PowerAfter, on: AnAgent, any: true, nth: true},
	{kind: DiskFull, top: 1 << 40},
	{kind: BitRot, top: 1 << 40},
	{kind: LinkDown, on: AnInterface},
	{kind: LinkFlap, on: AnInterface, low: 100, top: 3_600_000},
	{kind: LinkLoss, on: AnInterface, low: 1, top: 100},
	{kind: LinkDelay, on: AnInterface, low: 1, top: 60_000},
	{kind: DHCPGone, on: ANetwork},
	{kind: DHCPMoved, on: ANetwork},
	{kind: OutsideGone, on: ANetwork},
	{kind: DNSGone, on: AResolver},
	{kind: DNSRefuse, on: AResolver},
	{kind: DNSWrong, on: AResolver, top: 2},
	{kind: ProxyRefuse, on: AProxy},
	{kind: HostGone, on: AHost},
	{kind: ControllerGone},
	{kind: ControllerStatus, on: AnEndpoint, any: true, low: 200, top: 599},
	{kind: ControllerDelay, on: AnEndpoint, any: true, low: 1, top: 3_600_000},
	{kind: ControllerUnread, on: AnEndpoint, any: true},
	{kind: ControllerClose, on: AnEndpoint, any: true},
	{kind: ControllerTruncate, on: AnEndpoint, any: true},
	{kind: ControllerEmpty, on: AnEndpoint, any: true},
	{kind: ControllerCorrupt, on: AnEndpoint, any: true},
	{kind: ControllerTwice, on: AnEndpoint, any: true},
	{kind: ControllerRepeat, on: AnEndpoint, any: true},
	{kind: ControllerStale},
	{kind: ControllerStranger, on: AnEndpoint, any: true},
	{kind: ControllerForged, on: AnEndpoint, any: true},
	{kind: ControllerExpired},
	{kind: ControllerRotate, moment: true},
	{kind: ControllerSkew, low: -10 * 365 * 86400, top: 10 * 365 * 86400},
	{kind: ControllerWrongType, on: AnEndpoint, any: true},
	{kind: ControllerLate, on: AnEndpoint, any: true, low: 1, top: 180_000},
	{kind: ControllerAgain, on: AnEndpoint, any: true, low: 1, top: 180_000},
	{kind: Clock1970},
	{kind: ClockJump, low: -60 * 365 * 86400, top: 60 * 365 * 86400},
	{kind: ClockDrift, low: -500_000, top: 500_000},
}

// PowerOff is how long the device is off after a cut that waits for an occasion.
const PowerOff Seconds = 10

// SwitchRestart is how long a switch takes to restart.
const SwitchRestart Seconds = 1

// Kinds are all kinds, in the order of this page.
func Kinds() []Kind {
	out := make([]Kind, len(specs))
	for i, s := range specs {
		out[i] = s.kind
	}
	return out
}

func specOf(k Kind) (spec, bool) {
	for _, s := range specs {
		if s.kind == k {
			return s, true
		}
	}
	return spec{}, false
}

// On is what the faults of a kind name.
func (k Kind) On() What {
	s, _ := specOf(k)
	return s.on
}
