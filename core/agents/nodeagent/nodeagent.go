package nodeagent

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/power"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// operation is one that was asked for in this boot; it survives a crash of the agent.
type operation struct {
	Kind     string // kindReboot, kindShutdown, kindPoweroff
	At       time.Duration
	Reason   node.BootReason
	Text     string
	Halted   bool // guests are off, or were waited for long enough
	HaltedAt time.Duration
}

// Key is the kind.
func (o operation) Key() string { return o.Kind }

// Kinds of operations.
const (
	kindReboot   = "reboot"
	kindShutdown = "shutdown"
	kindPoweroff = "poweroff"
)

// reach is whether the controller is in reach, and since when it is not.
type reach struct {
	InReach bool
	Lost    time.Duration // since boot
}

// Key is "reach".
func (reach) Key() string { return "reach" }

var (
	operations = bus.NewTopic[operation](bus.Decl{Owner: "nodeagent", Name: "NodeOperation",
		MaxRows: 3})
	reaches = bus.NewTopic[reach](bus.Decl{Owner: "nodeagent", Name: "Reach", MaxRows: 1})
)

// nodeagent is its wiring.
type nodeagent struct {
	boot       *bus.Sub[boot.BootSeen]
	parts      *bus.Sub[boot.PartSeen]
	zedagent   *bus.Sub[node.ZedAgentStatus]
	items      *bus.Sub[config.ConfigItemValueMap]
	identity   *bus.Sub[node.OnboardingStatus]
	domains    *bus.Sub[domain.DomainStatus]
	volumes    *bus.Sub[volume.VolumeMgrStatus]
	status     *bus.Pub[node.NodeAgentStatus]
	operations *bus.Pub[operation]
	reaches    *bus.Pub[reach]
	setReason  *agent.Calls[boot.ReasonReq, boot.None]
	reset      *agent.Calls[power.Req, power.None]
}

// New wires the agent.
func New(p bus.Port) agent.Agent {
	return &nodeagent{
		boot:       bus.Subscribe(p, boot.Boot),
		parts:      bus.Subscribe(p, boot.Parts),
		zedagent:   bus.Subscribe(p, node.ZedAgent, bus.Optional),
		items:      bus.Subscribe(p, config.Items, bus.Optional),
		identity:   bus.Subscribe(p, node.Onboarding, bus.Optional),
		domains:    bus.Subscribe(p, domain.Statuses, bus.Optional),
		volumes:    bus.Subscribe(p, volume.Mgr, bus.Optional),
		status:     bus.Publish(p, node.NodeAgent),
		operations: bus.Publish(p, operations),
		reaches:    bus.Publish(p, reaches),
		setReason:  agent.Use(p, boot.SetReason),
		reset:      agent.Use(p, power.Reset),
	}
}

const self = "nodeagent"

// Step publishes what the node is at; it does nothing before it is known how the device booted.
func (a *nodeagent) Step(t *agent.Turn) {
	seen := a.boot.Get(boot.BootSeen{}.Key())
	if seen == nil {
		return
	}
	s := node.NodeAgentStatus{Name: self}
	for _, p := range a.parts.All() {
		if p.Current {
			s.CurPart, s.UpdateInprogress = p.Label, p.State == "inprogress"
		}
	}
	bootedBy(&s, seen)
	a.watchReach(t, s.UpdateInprogress)
	a.command(t)
	for _, kind := range [...]string{kindShutdown, kindReboot, kindPoweroff} {
		if o := a.operations.Get(kind); o != nil {
			a.carryOut(t, o, &s)
		}
	}
	a.maintenance(&s)
	a.status.Put(s)
}

// lowDiskSpace is EVE's number of that reason for maintenance mode.
const lowDiskSpace = 3

// maintenance collects the local reasons for maintenance mode.
func (a *nodeagent) maintenance(s *node.NodeAgentStatus) {
	if v := a.volumes.Get("volumemgr"); v != nil && v.Initialized && v.RemainingSpace == 0 {
		s.LocalMaintenanceModeReasons = append(s.LocalMaintenanceModeReasons, lowDiskSpace)
	}
	s.LocalMaintenanceMode = len(s.LocalMaintenanceModeReasons) > 0
}
