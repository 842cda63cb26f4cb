package check

import (
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// edge is a step of a state; a state has any number of them.
type edge struct{ from, to entity.SwState }

// appEdges are the steps of an application beside those forward on the way to a guest that runs
// (INITIAL … RUNNING, in the order of the numbers, steps may be skipped) and those among the states
// of its volumes (INITIAL … CREATED_VOLUME), which follow what becomes of the content: a wrong hash
// goes back to INITIAL, a new generation resolves its tag anew.
var appEdges = map[edge]string{
	// A guest that runs ends in three ways.
	{entity.RUNNING, entity.HALTING}: "asked to stop",
	{entity.RUNNING, entity.HALTED}:  "it turned itself off",
	{entity.RUNNING, entity.BROKEN}:  "its monitor died",
	// A guest may be paused from the outside.
	{entity.RUNNING, entity.PAUSED}: "paused",
	{entity.BOOTING, entity.PAUSED}: "paused",
	{entity.PAUSED, entity.RUNNING}: "resumed",
	{entity.PAUSED, entity.HALTING}: "asked to stop",
	{entity.PAUSED, entity.HALTED}:  "it turned itself off",
	{entity.PAUSED, entity.BROKEN}:  "its monitor died",
	// The same while it boots; and a start that went wrong is tried again.
	{entity.BOOTING, entity.HALTING}: "asked to stop",
	{entity.BOOTING, entity.HALTED}:  "it turned itself off",
	{entity.BOOTING, entity.BROKEN}:  "it did not start",
	// An application that waits for its guest waits for one thing after the other, and what was there
	// may go again: its network instance, the time of its start delay.
	{entity.AWAITNETWORKINSTANCE, entity.INSTALLED}:     "there, but its interfaces are not",
	{entity.START_DELAYED, entity.INSTALLED}:            "the delay has passed",
	{entity.START_DELAYED, entity.AWAITNETWORKINSTANCE}: "the instance is gone",
	// It may be switched off meanwhile.
	{entity.INSTALLED, entity.HALTING}:            "its guest was wished a moment ago",
	{entity.AWAITNETWORKINSTANCE, entity.HALTING}: "its guest was wished a moment ago",
	{entity.START_DELAYED, entity.HALTING}:        "its guest was wished a moment ago",
	{entity.HALTING, entity.HALTED}:               "off",
	// Steps that zedmanager did not look at in time.
	{entity.INSTALLED, entity.BROKEN}:            "started and went wrong",
	{entity.AWAITNETWORKINSTANCE, entity.BROKEN}: "started and went wrong",
	{entity.START_DELAYED, entity.BROKEN}:        "started and went wrong",
	// A stop that was taken back before anybody heard of it.
	{entity.HALTING, entity.RUNNING}: "wished again",
	{entity.HALTING, entity.BOOTING}: "wished again",
	// A new run.
	{entity.HALTED, entity.BOOTING}:              "started",
	{entity.HALTED, entity.RUNNING}:              "started, and the steps between were not seen",
	{entity.HALTED, entity.BROKEN}:               "it did not start",
	{entity.HALTED, entity.AWAITNETWORKINSTANCE}: "started",
	{entity.HALTED, entity.START_DELAYED}:        "started",
	{entity.HALTED, entity.HALTING}:              "asked to stop before it started",
	{entity.BROKEN, entity.BOOTING}:              "tried again",
	{entity.BROKEN, entity.RUNNING}:              "tried again, and the steps between were not seen",
	{entity.BROKEN, entity.HALTING}:              "asked to stop",
	{entity.BROKEN, entity.HALTED}:               "asked to stop, and there was nothing to stop",
}

// appStates: what a state was before decides what users make of it.
func appStates() Rule {
	return Rule{Name: "app-states", Covers: []string{"APP-1", "APP-2", "APP-5"},
		Says: "The state of an application moves along the edges of its life only: forward to RUNNING, " +
			"back only through HALTING, HALTED or BROKEN, and to the states of volumes only in a purge.",
		New: func(e *Ear) {
			OnRow(e, app.Statuses, func(key string, was, now *app.AppInstanceStatus) {
				if now == nil || was != nil && was.State == now.State {
					return
				}
				e.Judged()
				if now.State < entity.INITIAL || now.State > entity.BROKEN ||
					now.State == entity.PAUSING {
					e.Break(app.Statuses.String(), key, "%s is no state of an application", now.State)
				}
				if was != nil && !appStep(was, now) {
					e.Break(app.Statuses.String(), key, "it goes from %s to %s (restart: %s, purge: %s)",
						was.State, now.State, now.RestartInprogress, now.PurgeInprogress)
				}
			})
		}}
}

// appStep reports whether an application may go from one state to another.
func appStep(was, now *app.AppInstanceStatus) bool {
	from, to := was.State, now.State
	switch {
	case appEdges[edge{from, to}] != "":
		return true
	case from < to && to <= entity.RUNNING:
		return true // forward
	case from <= entity.CREATED_VOLUME && to <= entity.CREATED_VOLUME:
		return true // volumes
	case from <= entity.START_DELAYED && to == entity.HALTED:
		// EVE: what is not to run is HALTED instead of INSTALLED, since it may have been halted before
		// the device was booted.
		return true
	}
	// Volumes are made anew in a purge, of what has no guest that runs.
	purged := now.PurgeInprogress != app.NotInprogress || was.PurgeInprogress != app.NotInprogress
	return purged && to <= entity.INSTALLED && from != entity.RUNNING
}

// haltedIsOff: HALTED is what others take for the permission to touch disks and network.
func haltedIsOff() Rule {
	return Rule{Name: "halted-is-off", Covers: []string{"APP-5", "APP-39"},
		Says: "An application is called HALTED only when no guest of it runs or is being made.",
		New: func(e *Ear) {
			making := map[string]int{}
			e.OnBoot(func(Boot) { clear(making) })
			e.OnCrash(func(agent string) {
				if agent == "domainmgr" { // a run that outlives its caller is nobody's, and is undone
					clear(making)
				}
			})
			OnBegan(e, hyper.Create, func(_ *host.Ran, r *hyper.CreateReq) { making[r.Spec.AppID]++ })
			OnEnded(e, hyper.Create, func(_ *host.Ran, r *hyper.CreateReq, _ *hyper.None) {
				making[r.Spec.AppID] = max(0, making[r.Spec.AppID]-1)
			})
			OnRow(e, app.Statuses, func(key string, was, now *app.AppInstanceStatus) {
				if now == nil || now.State != entity.HALTED || was != nil && was.State == entity.HALTED {
					return
				}
				e.Judged()
				if making[key] > 0 {
					e.Break(app.Statuses.String(), key, "it is HALTED while its guest is being made")
				}
				for name, d := range Rows(e, hyper.Domains) {
					if d.AppID == key && lives(d) {
						e.Break(app.Statuses.String(), key, "it is HALTED while domain %s is %s", name, d.State)
					}
				}
			})
		}}
}

// domainStates: as domainmgr's diagram has it.
func domainStates() Rule {
	allowed := map[edge]bool{
		{entity.INSTALLED, entity.BOOTING}: true, {entity.INSTALLED, entity.RUNNING}: true,
		{entity.INSTALLED, entity.BROKEN}: true, {entity.INSTALLED, entity.HALTING}: true,
		{entity.INSTALLED, entity.HALTED}: true,
		{entity.BOOTING, entity.RUNNING}:  true, {entity.BOOTING, entity.BROKEN}: true,
		{entity.BOOTING, entity.HALTING}: true, {entity.BOOTING, entity.HALTED}: true,
		{entity.RUNNING, entity.HALTING}: true, {entity.RUNNING, entity.HALTED}: true,
		{entity.RUNNING, entity.BROKEN}: true,
		{entity.HALTING, entity.HALTED}: true,
		{entity.HALTED, entity.BOOTING}: true, {entity.HALTED, entity.RUNNING}: true,
		{entity.HALTED, entity.BROKEN}: true, {entity.HALTED, entity.HALTING}: true,
		{entity.BROKEN, entity.BOOTING}: true, {entity.BROKEN, entity.RUNNING}: true,
		{entity.BROKEN, entity.HALTING}: true, {entity.BROKEN, entity.HALTED}: true,
		{entity.RUNNING, entity.PAUSED}: true, {entity.PAUSED, entity.RUNNING}: true,
		{entity.PAUSED, entity.HALTING}: true, {entity.PAUSED, entity.HALTED}: true,
		{entity.PAUSED, entity.BROKEN}: true,
	}
	// One that is wished again while it is halted is made anew in the turn that sees it gone.
	again := func(was, now *domain.DomainStatus) bool {
		return was.State == entity.HALTING && now.State == entity.BOOTING && now.Boots > was.Boots
	}
	return Rule{Name: "domain-states", Covers: []string{"APP-1", "APP-38"},
		Says: "The state of a guest moves from INSTALLED over BOOTING to RUNNING, and on to a new run " +
			"only through HALTED or BROKEN.",
		New: func(e *Ear) {
			OnRow(e, domain.Statuses, func(key string, was, now *domain.DomainStatus) {
				if was == nil || now == nil || was.State == now.State {
					return
				}
				e.Judged()
				if !allowed[edge{was.State, now.State}] && !again(was, now) {
					e.Break(domain.Statuses.String(), key, "it goes from %s to %s", was.State, now.State)
				}
			})
		}}
}

// verifyOnce: a reference that went back would let a volume vanish under its application.
func verifyOnce() Rule {
	return Rule{Name: "verify-once", Covers: []string{"APP-4"},
		Says: "A reference to a volume goes from verifying to using it once and never back, and begins " +
			"with verifying.",
		New: func(e *Ear) {
			OnRow(e, volume.Refs, func(key string, was, now *volume.VolumeRefConfig) {
				if now == nil {
					return
				}
				e.Judged()
				if was == nil && !now.VerifyOnly {
					e.Break(volume.Refs.String(), key, "it uses the volume from the start")
				}
				if was != nil && !was.VerifyOnly && now.VerifyOnly {
					e.Break(volume.Refs.String(), key, "it went back to verifying")
				}
			})
		}}
}
