package flowlog

import (
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
)

func flow(vif string, port uint16) bridge.Flow {
	return bridge.Flow{Endpoint: bridge.Endpoint{Vif: vif}, RemotePort: port}
}

func TestRecordsStayUntilTheyAreSafe(t *testing.T) {
	q := New(7)
	q.Flow(flow("a", 1))
	q.Lookup(bridge.Lookup{Endpoint: bridge.Endpoint{Vif: "b"}, Name: "x"})
	first := q.Collect(bridge.FlowMark{})
	if len(first.Flows) != 1 || len(first.Lookups) != 1 || first.Upto != (bridge.FlowMark{Life: 7,
		Number: 2}) || first.More {
		t.Fatalf("%+v", first)
	}
	q.Flow(flow("a", 2))
	if again := q.Collect(bridge.FlowMark{Life: 6, Number: 9}); len(again.Flows) != 2 {
		t.Errorf("for a mark of another life: %+v, want all", again)
	}
	next := q.Collect(first.Upto)
	if len(next.Flows) != 1 || next.Flows[0].RemotePort != 2 || len(next.Lookups) != 0 {
		t.Errorf("behind the mark: %+v", next)
	}
	if all := q.Collect(bridge.FlowMark{}); len(all.Flows) != 1 {
		t.Errorf("what was safe is still there: %+v", all)
	}
	if none := q.Collect(next.Upto); len(none.Flows) != 0 || none.Upto != next.Upto {
		t.Errorf("behind the last: %+v", none)
	}
}

func TestRecordsAreBounded(t *testing.T) {
	q := New(1)
	for i := range bridge.MaxRecords + 5 {
		q.Flow(flow("a", uint16(i)))
	}
	res := q.Collect(bridge.FlowMark{})
	if len(res.Flows) != bridge.MostRecords || !res.More || res.Lost != 5 ||
		res.Flows[0].RemotePort != 0 {
		t.Fatalf("%d flows, more %v, lost %d", len(res.Flows), res.More, res.Lost)
	}
	n := len(res.Flows)
	for res.More {
		res = q.Collect(res.Upto)
		n += len(res.Flows)
	}
	if n != bridge.MaxRecords {
		t.Errorf("%d records in all", n)
	}
}

func TestForget(t *testing.T) {
	q := New(1)
	for _, vif := range []string{"a", "b", "a"} {
		q.Flow(flow(vif, 1))
	}
	q.Forget("a")
	if res := q.Collect(bridge.FlowMark{}); len(res.Flows) != 1 || res.Flows[0].Vif != "b" ||
		res.Upto.Number != 2 {
		t.Errorf("%+v", res)
	}
}
