package domainmgr

import (
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
)

func TestAPP47_RunningGuestIsAdopted(t *testing.T) {
	b := newBench(t)
	b.wish(guest(app1))
	b.run()
	was, ran := *b.st(app1), *b.domain(app1)
	b.Crash()
	if made := b.run(); len(made) != 0 {
		t.Fatalf("after a crash of the agent it did %v", made)
	}
	if !hyper.Domains.Equal(&ran, b.domain(app1)) || !domain.Statuses.Equal(&was, b.st(app1)) {
		t.Fatalf("status %+v, was %+v", b.st(app1), was)
	}
}

// All agents restart while the guest goes on: rows are lost, tables are complete before zedmanager
// wishes the guest again, and the wish has changed meanwhile.
func TestAPP47_RestartOfAllAgentsLeavesTheGuestAlone(t *testing.T) {
	b := newBench(t)
	b.wish(guest(app1))
	b.run()
	runs := *b.domain(app1)
	runs.Boots = 5
	b.Reboot()
	b.show(runs)
	rig.Complete(b.Rig, hyper.Domains)
	later := guest(app1)
	later.VmConfig.Memory *= 2
	for i, step := range []func(){
		func() { b.machine(true) },
		func() { rig.Complete(b.Rig, domain.Configs) },
		func() {
			rig.Put(b.Rig, app.Configs, app.AppInstanceConfig{UUIDandVersion: later.UUIDandVersion})
		},
		func() { b.boot() },
		func() { b.wish(later) },
	} {
		step()
		if made := b.run(); len(made) != 0 {
			t.Fatalf("step %d of the restart did %v", i, made)
		}
	}
	if st := b.is(app1, entity.RUNNING); st.DomainId != runs.ID || st.Boots != 5 ||
		!st.BootTime.Equal(runs.BootedAt) {
		t.Fatalf("status %+v", st)
	}
	b.unwish(app1)
	if b.run(); b.domain(app1) != nil {
		t.Fatal("still there")
	}
}

// A guest that nobody knows is destroyed, but only once everybody has spoken.
func TestAPP47_GuestThatNobodyWishes(t *testing.T) {
	b := &bench{Rig: rig.New(t, "domainmgr", New), t: t}
	rig.Complete(b.Rig, hyper.Domains)
	b.machine(true)
	c := guest(app1)
	spec, err := specOf(&c, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	b.show(hyper.DomainSeen{Spec: spec, ID: 4, State: hyper.Running})
	if made := b.run(); len(made) != 0 {
		t.Fatalf("did %v before any table was complete", made)
	}
	b.boot()
	if made := b.run(); !slices.Contains(made, "delete "+name1) {
		t.Fatalf("did %v", made)
	}
}

func TestAPP46_DomainIdSaysWhetherThereIsADomain(t *testing.T) {
	b := newBench(t)
	b.wish(guest(app1))
	for range 200 { // b.st compares at every step
		b.Step()
		b.st(app1)
		b.Crash()
		b.Step()
		b.st(app1)
		if !b.one() {
			break
		}
	}
	b.is(app1, entity.RUNNING)
	rig.Delete(b.Rig, hyper.Domains, name1) // somebody else destroyed it
	b.Crash()
	b.Step()
	if st := b.st(app1); st.DomainId != 0 || st.Activated {
		t.Fatalf("status %+v", st)
	}
	b.run()
	b.is(app1, entity.RUNNING)
}

// The agent dies after every step of the hypervisor; guests end as if it had not.
func TestCrashAtEveryStepEndsAlike(t *testing.T) {
	story := func(crash bool) []entity.SwState {
		b := newBench(t)
		b.crash = crash
		b.wish(guest(app1))
		b.wish(container(app2))
		b.run()
		b.wish(idle(guest(app1)))
		b.run()
		b.is(app1, entity.HALTED)
		b.wish(guest(app1))
		b.unwish(app2)
		b.run()
		if rig.Get(b.Rig, domain.Statuses, app2) != nil || b.domain(app2) != nil {
			t.Fatalf("left behind\n%s", b.Dump())
		}
		b.ends(app1, hyper.Halted, "")
		b.run()
		b.sleep(10*time.Minute + time.Second)
		st := b.is(app1, entity.RUNNING)
		if st.Boots != 3 {
			t.Fatalf("%d runs", st.Boots)
		}
		return []entity.SwState{st.State}
	}
	if calm, wild := story(false), story(true); !slices.Equal(calm, wild) {
		t.Fatalf("%v and %v", calm, wild)
	}
}

// A create that was under way when its wish went is not left behind.
func TestLateCreateIsCleared(t *testing.T) {
	for _, crash := range []bool{false, true} {
		b := newBench(t)
		b.wish(guest(app1))
		b.Step()
		b.unwish(app1)
		b.Step()
		if st := rig.Get(b.Rig, domain.Statuses, app1); st == nil || !st.PendingDelete {
			t.Fatalf("gone while a domain is being made: %+v", st)
		}
		if crash {
			b.Crash()
		}
		b.run()
		if b.domain(app1) != nil || rig.Get(b.Rig, domain.Statuses, app1) != nil {
			t.Fatalf("left behind\n%s", b.Dump())
		}
	}
}

// Of two domains of an application the one that runs is its guest; the other is deleted.
func TestAPP47_SecondDomainIsDeleted(t *testing.T) {
	for _, first := range []bool{true, false} {
		b := newBench(t)
		c := guest(app1)
		spec, err := specOf(&c, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		other := spec
		other.Name = app1 + ".1.7"
		if first {
			other.Name = app1 + ".9.7"
		}
		b.show(hyper.DomainSeen{Spec: spec, ID: 1, State: hyper.Running, BootedAt: b.Wall()})
		b.show(hyper.DomainSeen{Spec: other, ID: 2, State: hyper.Defined})
		b.wish(c)
		if made := b.run(); !slices.Equal(made, []string{"delete " + other.Name}) {
			t.Fatalf("did %v", made)
		}
		if b.is(app1, entity.RUNNING).DomainId != 1 {
			t.Fatal("the wrong one was kept")
		}
	}
}

// What an earlier run has left is not started in place of the new one.
func TestDomainOfAnEarlierRunIsMadeAnew(t *testing.T) {
	b := newBench(t)
	b.wish(guest(app1))
	b.run()
	b.wish(idle(guest(app1)))
	b.run()
	old := guest(app1)
	spec, err := specOf(&old, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	b.fail["create"] = agent.Fault{Code: hyper.FaultExists, Text: "exists"}
	b.wish(guest(app1)) // run 2
	b.Step()
	b.show(hyper.DomainSeen{Spec: spec, ID: 9, State: hyper.Defined}) // the call of run 1 lands late
	delete(b.fail, "create")
	b.run()
	if d := b.domain(app1); d == nil || d.Boots != 2 || d.State != hyper.Running {
		t.Fatalf("domain %+v, did %v", d, b.made)
	}
	b.is(app1, entity.RUNNING)
}
