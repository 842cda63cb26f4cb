package zedrouter

import (
	"slices"
	"testing"
)

// The flow log of an instance is turned on and off while its guests stay attached.
func TestNET36_FlowLogOfAnInstance(t *testing.T) {
	b := newBench(t)
	c := local(ni1, "uplink", 1)
	b.instance(c)
	b.app(guest(app1, ni1))
	b.run()
	if b.vif("nbu1x1").FlowLog || b.item("service/bn1").Service.FlowLog {
		t.Error("a flow log that nobody wishes")
	}
	for _, on := range []bool{true, false} {
		c.EnableFlowlog = on
		b.instance(c)
		made := b.run()
		slices.Sort(made)
		if !slices.Equal(made, []string{"set service/bn1", "set vif/nbu1x1"}) {
			t.Errorf("made %v", made)
		}
		if b.vif("nbu1x1").FlowLog != on || b.item("service/bn1").Service.FlowLog != on {
			t.Errorf("the flow log is not %v", on)
		}
		b.up(ni1, app1)
	}
}
