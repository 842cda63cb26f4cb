package zedmanager

import (
	"fmt"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
)

const mib = 1 << 20

// overhead is the memory, in bytes, that the monitor of a guest takes beside the guest's own.
func (a *zedmanager) overhead(vm *app.VmConfig) uint64 {
	if vm.VirtualizationMode == app.NOHYPER {
		return 0
	}
	if limit := a.items.Get(entity.Global).Uint(config.VmmMemoryLimitMiB); limit > 0 {
		return uint64(limit) * mib
	}
	if vm.VMMMaxMem > 0 {
		return uint64(vm.VMMMaxMem) << 10
	}
	cpus := uint64(max(vm.VCpus, vm.MaxCpus, 0))
	guest := uint64(max(vm.Memory, 0)) << 10
	return (350+20+3*cpus)*mib + guest*25/1000
}

// demand is what an application takes of the machine's memory, in bytes.
func (a *zedmanager) demand(vm *app.VmConfig) uint64 {
	return uint64(max(vm.Memory, 0))<<10 + a.overhead(vm)
}

// reserved is what EVE itself keeps, in bytes: as set, else as domainmgr measured.
func (a *zedmanager) reserved() uint64 {
	items := a.items.Get(entity.Global)
	if n := items.Uint(config.EveMemoryLimitBytes); n > 0 {
		return uint64(n)
	}
	if n := items.Uint(config.EveMemoryLimitMiB); n > 0 {
		return uint64(n) * mib
	}
	return a.memory.Get(entity.Global).UsedEveMB * mib
}

// admit reports whether the machine has the memory for an application, or says in the status what
// is missing and when that may change.
func (a *zedmanager) admit(t *round, acc *app.AppInstanceConfig,
	st *app.AppInstanceStatus) bool {
	st.MemOverhead = a.overhead(&acc.FixedResources)
	if a.items.Get(entity.Global).Bool(config.IgnoreMemoryCheck) {
		st.ClearFrom(fromConfig)
		return true
	}
	host := a.memory.Get(entity.Global)
	if host == nil {
		return false // the machine is not known yet
	}
	taken, halting, others := a.reserved()+t.Contest.Taken, t.Contest.Halting, t.Contest.Users
	need, left := a.demand(&acc.FixedResources), uint64(0)
	if total := host.TotalMemoryMB * mib; total > taken {
		left = total - taken
	}
	if need <= left {
		st.ClearFrom(fromConfig)
		return true
	}
	d := entity.ErrorDescription{ErrorSeverity: entity.SeverityError,
		Error: fmt.Sprintf("Remaining memory bytes %d app instance needs %d", left, need)}
	switch {
	case halting > 0 && need <= left+halting:
		d.ErrorSeverity = entity.SeverityNotice
		d.Error += ", waiting for one or more halting app instances to free up"
		d.ErrorRetryCondition = "Retry will be triggered when one or more apps have halted"
	case others > 0:
		d.ErrorSeverity = entity.SeverityWarning
		d.ErrorRetryCondition = "Retry will be triggered when one or more apps will shutdown"
	}
	st.MissingMemory = true
	st.SetFrom(fromConfig, d, t.Wall)
	return false
}
