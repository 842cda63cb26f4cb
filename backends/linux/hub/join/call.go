package join

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// call is a call that the hub carries.
type call struct {
	wire.Call
	run host.AnyRun
}

// call asks the hub for an op, on the loop.
func (p *process) call(c host.AnyRun) {
	req, err := json.Marshal(c.Req())
	if err != nil {
		c.Fail(agent.Fault{Code: agent.FaultPanic,
			Text: fmt.Sprintf("encode request of %s: %v", c.Op().Name, err)})
		return
	}
	p.nextID++
	x := &call{wire.Call{ID: p.nextID, Agent: p.number(c.Caller()), Op: slices.Index(p.w.Ops, c.Op()),
		Key: c.Key(), Req: req}, c}
	p.calls[x.ID] = x
	p.out.add(func(b []byte) []byte { return wire.AppendCall(b, &x.Call) })
	c.OnCancel(func() {
		// The fence of the key stands where the op runs: here the call is over.
		delete(p.calls, x.ID)
		p.out.add(func(b []byte) []byte { return wire.AppendCancel(b, x.ID) })
		c.Fail(agent.Fault{Code: agent.FaultCancelled, Text: "cancelled", Retry: true})
	})
}

// ended is the end of a call, on the loop.
func (p *process) ended(o *wire.Outcome) {
	x := p.calls[o.ID]
	if x == nil {
		return
	}
	delete(p.calls, o.ID)
	if o.Fault != nil {
		x.run.Fail(*o.Fault)
		return
	}
	res := x.run.Op().NewRes()
	if err := json.Unmarshal(o.Res, res); err != nil {
		x.run.Fail(agent.Fault{Code: agent.FaultPanic,
			Text: fmt.Sprintf("read result of %s: %v", x.run.Op().Name, err)})
		return
	}
	x.run.Done(res)
}
