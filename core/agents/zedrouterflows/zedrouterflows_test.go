package zedrouterflows

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// bench has a rule with a name, and something to collect.
type bench struct {
	*rig.Rig
	t *testing.T
}

func newBench(t *testing.T) *bench {
	b := &bench{rig.New(t, "zedrouter-flows", New), t}
	b.may(true)
	acl := network.ACE{Name: "web", RuleID: 5}
	rig.Put(b.Rig, network.AppNetworks, network.AppNetworkConfig{
		UUIDandVersion: entity.UUIDandVersion{UUID: "app"}, AppNetAdapterList: []network.
				AppNetAdapterConfig{{Name: "eth0", Network: "ni", ACLs: []network.ACE{acl}}}})
	b.Step()
	return b
}

func (b *bench) may(something bool) {
	rig.Put(b.Rig, bridge.Records, bridge.RecordsSeen{May: something})
	b.Step()
}

// asked waits for a collection, at most d, and returns what it asks for.
func (b *bench) asked(d time.Duration) (bridge.FlowsReq, time.Duration) {
	b.t.Helper()
	for from := b.Now(); ; b.Advance(time.Second) {
		if c := rig.Calls(b.Rig, bridge.Flows); len(c) > 0 {
			return c[0].Req, b.Now() - from
		}
		if b.Now()-from > d {
			b.t.Fatalf("no collection within %v\n%s", d, b.Dump())
		}
	}
}

func (b *bench) done(res bridge.FlowsRes) {
	b.t.Helper()
	rig.Done(b.Rig, bridge.Flows, key, res)
	b.Step()
}

func (b *bench) idle(d time.Duration) {
	b.t.Helper()
	b.Advance(d)
	if c := rig.Calls(b.Rig, bridge.Flows); len(c) > 0 {
		b.t.Fatalf("%d collections", len(c))
	}
}

func (b *bench) rows() []network.IPFlow { return rig.Rows(b.Rig, network.IPFlows) }

func endpoint(vif string) bridge.Endpoint {
	return bridge.Endpoint{Vif: vif, App: "app", Adapter: "eth0", Network: "ni"}
}

func mark(n uint64) bridge.FlowMark { return bridge.FlowMark{Life: 7, Number: n} }

func TestNET36_Collections(t *testing.T) {
	b := newBench(t)
	for i := range 20 {
		q, d := b.asked(121 * time.Second)
		if d < 107*time.Second || i == 0 && q.After != (bridge.FlowMark{}) || i > 0 &&
			q.After != mark(uint64(i)) {
			t.Fatalf("after %v: %+v", d, q)
		}
		b.done(bridge.FlowsRes{Upto: mark(uint64(i + 1))})
	}
	if n := len(b.rows()); n != 0 {
		t.Errorf("%d rows of nothing", n)
	}
}

func TestNET36_NothingWhenDisabled(t *testing.T) {
	b := newBench(t)
	b.asked(121 * time.Second)
	b.may(false)
	b.done(bridge.FlowsRes{Upto: mark(2), Flows: []bridge.Flow{{Endpoint: endpoint("nbu1x1")}}})
	if n := len(b.rows()); n != 1 {
		t.Errorf("%d rows of what was left", n)
	}
	b.idle(time.Hour)
	b.may(true)
	if _, d := b.asked(121 * time.Second); d < 107*time.Second {
		t.Errorf("a collection after %v", d)
	}
	b.done(bridge.FlowsRes{Upto: mark(2)})
	b.Advance(time.Minute)
	b.may(false)
	b.idle(time.Hour)
}

func TestRowsOfAnInterface(t *testing.T) {
	b := newBench(t)
	b.asked(121 * time.Second)
	res := bridge.FlowsRes{Upto: mark(300)}
	for i := range 200 {
		res.Flows = append(res.Flows, bridge.Flow{Endpoint: endpoint("nbu1x" + strconv.Itoa(1+i/150)),
			RuleID: int32(i % 6), RemotePort: uint16(i), Dropped: i%6 == 0})
	}
	res.Lookups = []bridge.Lookup{
		{Endpoint: endpoint("nbu1x2"), Name: "a", Addrs: make([]netip.Addr, 80)},
		{Endpoint: endpoint("nbu1x2"), Name: "b"}}
	b.done(res)
	rows := b.rows()
	var got []string
	flows := 0
	for i, r := range rows {
		got = append(got, r.Scope.Vif+" "+strconv.Itoa(len(r.Flows))+" "+strconv.Itoa(len(r.DNS)))
		if r.Number != uint64(i+1) || r.Scope.AppID != "app" || r.Scope.Adapter != "eth0" ||
			r.Scope.Network != "ni" {
			t.Errorf("row %d of %+v", r.Number, r.Scope)
		}
		for _, f := range r.Flows {
			name := ""
			if f.ACLID == 5 {
				name = "web"
			}
			if int(f.RemotePort) != flows || int(f.ACLID) != flows%6 || f.ACLName != name ||
				f.Dropped != (flows%6 == 0) {
				t.Errorf("flow %d: %+v", flows, f)
			}
			flows++
		}
	}
	want := "nbu1x1 125 0,nbu1x1 25 0,nbu1x2 50 0,nbu1x2 0 2"
	if s := join(got); s != want {
		t.Errorf("rows %s, want %s", s, want)
	}
	// They go when they were taken.
	rig.Put(b.Rig, network.IPFlowsTaken, network.IPFlowTaken{Upto: 3})
	b.Step()
	if rows := b.rows(); len(rows) != 1 || rows[0].Number != 4 {
		t.Errorf("left are %d rows", len(rows))
	}
}

func join(list []string) (out string) {
	for i, s := range list {
		if i > 0 {
			out += ","
		}
		out += s
	}
	return out
}

func TestMoreComesAtOnceWhileThereIsRoom(t *testing.T) {
	b := newBench(t)
	b.asked(121 * time.Second)
	n := uint64(0)
	full := func() bridge.FlowsRes {
		res := bridge.FlowsRes{More: true}
		for range bridge.MostRecords {
			n++
			res.Flows = append(res.Flows, bridge.Flow{Endpoint: endpoint("nbu1x1")})
		}
		res.Upto = mark(n)
		return res
	}
	for len(b.rows()) < network.MaxIPFlows {
		b.done(full())
		if q, _ := b.asked(0); q.After != mark(n) {
			t.Fatalf("asks for what is behind %+v, want %d", q.After, n)
		}
	}
	had, safe := len(b.rows()), n
	b.done(full()) // nobody takes any
	if len(b.rows()) != had {
		t.Errorf("%d rows, had %d", len(b.rows()), had)
	}
	b.idle(100 * time.Second)
	if q, _ := b.asked(21 * time.Second); q.After != mark(safe) {
		t.Errorf("asks for what is behind %+v, want %d", q.After, safe)
	}
}

func TestACrashNeitherLosesNorDoubles(t *testing.T) {
	b := newBench(t)
	b.asked(121 * time.Second)
	b.done(bridge.FlowsRes{Upto: mark(1), Flows: []bridge.Flow{{Endpoint: endpoint("nbu1x1")}}})
	b.Crash()
	b.Step()
	if q, _ := b.asked(121 * time.Second); q.After != mark(1) {
		t.Errorf("asks for what is behind %+v", q.After)
	}
	b.done(bridge.FlowsRes{Upto: mark(2), Flows: []bridge.Flow{{Endpoint: endpoint("nbu1x1")}}})
	if rows := b.rows(); len(rows) != 2 || rows[1].Number != 2 {
		t.Errorf("%d rows", len(rows))
	}
	b.asked(121 * time.Second)
	rig.Fail(b.Rig, bridge.Flows, key, agent.Fault{Code: bridge.FaultFailed, Retry: true})
	b.Step()
	if q, d := b.asked(121 * time.Second); q.After != mark(2) || d < 107*time.Second {
		t.Errorf("after a fault: %+v after %v", q, d)
	}
}

func TestWhatThePartLostIsSaid(t *testing.T) {
	b := newBench(t)
	for _, lost := range []uint64{0, 5, 5, 9} {
		b.asked(121 * time.Second)
		b.done(bridge.FlowsRes{Upto: mark(1), Lost: lost})
	}
	var said []string
	for _, l := range b.Lines() {
		said = append(said, l.Text)
	}
	if got := join(said); got != "5 records of the flow log were lost, since there were too many,"+
		"4 records of the flow log were lost, since there were too many" {
		t.Errorf("said %q", got)
	}
}
