package recording

import (
	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// Around records the devices of a run; it is one of those around them.
type Around struct{ Recorder *trace.Recorder }

// Shape has the device's turns recorded, beside whoever else is told of them.
func (a Around) Shape(_ scenario.World, o *twin.DeviceOptions) { Shape(a.Recorder, o) }

// Made does nothing.
func (a Around) Made(scenario.World, *twin.Device) {}

// File has a device recorded into a file; nil records nothing.
func File(f *taping.File, o *twin.DeviceOptions) {
	if f != nil {
		Shape(f.Recorder, o)
	}
}

// Shape has a device's turns recorded, beside whoever else is told of them.
func Shape(r *trace.Recorder, o *twin.DeviceOptions) {
	record, was := r.OnTurn(o.Name), o.OnTurn
	o.Hooks = o.Hooks.Join(r.Hooks(o.Name))
	if was == nil {
		o.OnTurn = record
		return
	}
	o.OnTurn = func(p *host.Proc, in *host.Input, out *host.Output) {
		record(p, in, out)
		was(p, in, out)
	}
}

var _ scenario.Around = Around{}
