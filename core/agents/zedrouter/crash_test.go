package zedrouter

import (
	"reflect"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

func TestNET39_RestartTouchesNothing(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	b.app(guest(app1, ni1))
	b.app(guest(app2, ni1))
	b.run()
	items := rig.Rows(b.Rig, bridge.Items)
	b.Crash()
	if made := b.run(); len(made) != 0 {
		t.Fatalf("a restart of the agent made it %v", made)
	}
	// All agents restart while bridges and guests go on: rows are lost, configurations come back
	// one by one, and tables are complete before every application is connected again.
	stays := rig.Rows(b.Rig, bridge.Items)
	b.Reboot()
	for _, row := range stays {
		rig.Put(b.Rig, bridge.Items, row)
	}
	rig.Complete(b.Rig, bridge.Items)
	rig.Complete(b.Rig, bridge.Vifs)
	steps := []func(){
		func() {
			rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{
				DeviceUUID: "11111111-2222-4333-8444-555555555555"})
			b.ports(port("eth0"), port("eth1"))
		},
		func() { b.instance(local(ni1, "uplink", 1)) },
		func() { rig.Complete(b.Rig, network.Instances) },
		func() { b.knows(guest(app1, ni1), guest(app2, ni1)) },
		func() { rig.Complete(b.Rig, network.AppNetworks) },
		func() { rig.Complete(b.Rig, app.Configs) },
		func() { b.app(guest(app2, ni1)) },
		func() { b.app(guest(app1, ni1)) },
	}
	for i, step := range steps {
		step()
		if made := b.run(); len(made) != 0 {
			t.Fatalf("step %d of the restart made it %v", i, made)
		}
	}
	b.up(ni1, app1, app2)
	if !reflect.DeepEqual(items, rig.Rows(b.Rig, bridge.Items)) {
		t.Fatal("something else is applied")
	}
}

// end is all that others see in the end, but for times.
func (b *bench) end() any {
	var out []any
	for _, n := range rig.Rows(b.Rig, network.InstanceStatus) {
		n.Of, n.ActivatedAt, n.NetworkErr.ErrorTime = 0, n.ActivatedAt.AddDate(-9, 0, 0), n.ActivatedAt
		n.ActivatedAt, n.NetworkErr.ErrorTime = b.Wall(), b.Wall()
		out = append(out, n)
	}
	for _, a := range rig.Rows(b.Rig, network.AppNetworkStatuses) {
		a.Of, a.ErrorTime = 0, b.Wall()
		out = append(out, a)
	}
	return append(out, rig.Rows(b.Rig, bridge.Items), rig.Rows(b.Rig, network.AppInterfaceNumbers))
}

// The agent dies after every step of the part; it ends as if it had not.
func TestCrashAtEveryStepEndsAlike(t *testing.T) {
	story := func(crash bool) any {
		b := newBench(t)
		b.crash = crash
		b.instance(local(ni1, "uplink", 1))
		b.instance(local(ni2, "eth1", 2))
		b.app(guest(app1, ni1, ni2))
		b.app(guest(app2, ni2))
		b.run()
		c := local(ni2, "eth0", 3) // another subnet, another port
		b.instance(c)
		edit := guest(app1, ni1, ni2)
		edit.AppNetAdapterList[1].ACLs = append(edit.AppNetAdapterList[1].ACLs,
			forward(2, "tcp", "8080", 80))
		b.app(edit)
		b.run()
		rig.Delete(b.Rig, network.AppNetworks, app2)
		b.app(guest(app3, ni1))
		b.run()
		b.up(ni1, ni2, app1, app3)
		return b.end()
	}
	if calm, wild := story(false), story(true); !reflect.DeepEqual(calm, wild) {
		t.Fatalf("without crashes\n%+v\nwith crashes\n%+v", calm, wild)
	}
}

// A call of the agent that died may still land; what it made is cleared if nobody wants it.
func TestOrphanedCallIsOvertakenByTheWish(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	b.Step() // bridge.Set runs
	b.Crash()
	rig.Delete(b.Rig, network.Instances, ni1)
	b.run() // the orphan ends well, after its instance is gone
	if rows := rig.Rows(b.Rig, bridge.Items); len(rows) != 0 || b.ni(ni1) != nil {
		t.Fatalf("left behind: %+v", rows)
	}
}
