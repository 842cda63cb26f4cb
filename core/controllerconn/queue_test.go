package controllerconn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
)

func due(r *rig.Rig, class controllerconn.Class, kind, entity string, n int, body string) {
	rig.Put(r, marks, mark{Item: controllerconn.Item{Class: class, Kind: kind, Entity: entity},
		Mark: n, Body: body})
}

// flying is the body under way, "" if none is.
func flying(r *rig.Rig) string {
	serve(r)
	calls := rig.Calls(r, web.Send)
	if len(calls) == 0 {
		return ""
	}
	e, _ := eveapi.ParseEnvelope(calls[0].Req.Body)
	return string(e.Payload)
}

// within moves time on, at most by d, until something is under way, and tells how long it took.
func within(r *rig.Rig, d time.Duration) (string, time.Duration) {
	from := r.Now()
	for flying(r) == "" && r.Now()-from < d {
		r.Advance(time.Second)
	}
	return flying(r), r.Now() - from
}

func TestAPI39_OrderOfTheQueue(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	due(r, controllerconn.ClassRest, "zero", "z", 1, "zero")
	if b := flying(r); b != "zero" {
		t.Fatalf("first %q", b)
	}
	due(r, controllerconn.ClassRest, "ni", "b", 1, "ni b")
	r.Step()
	due(r, controllerconn.ClassRest, "ni", "a", 1, "ni a")
	due(r, controllerconn.ClassHardware, "hw", "x", 1, "hw")
	r.Step()
	due(r, controllerconn.ClassApp, "app", "x", 1, "app")
	due(r, controllerconn.ClassAttest, "attest", "x", 1, "attest")
	var seen []string
	for range 5 {
		code(r, "queue", 201)
		seen = append(seen, flying(r))
	}
	code(r, "queue", 201)
	if got := strings.Join(seen, ", "); got != "attest, app, hw, ni b, ni a" || flying(r) != "" {
		t.Fatalf("order %s, then %q", got, flying(r))
	}
	if n := len(rig.Rows(r, conn.Dues)); n != 0 {
		t.Fatalf("%d items left", n)
	}
}

func TestAPI39_ReconnectFlushesWithinAMinute(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	due(r, controllerconn.ClassRest, "ni", "a", 1, "a")
	for i := range 4 { // no answer, again and again: the wait grows to 8 minutes and more
		if b, _ := within(r, 10*time.Minute); b != "a" {
			t.Fatalf("try %d: nothing under way\n%s", i, r.Dump())
		}
		fail(r, "queue", web.FaultTimeout)
	}
	setPorts(r, network.DPCFail, port("eth0", 0, "10.0.0.5"))
	r.Advance(10 * time.Second)
	setPorts(r, network.DPCSuccess, port("eth0", 0, "10.0.0.5"))
	r.Step()
	if b := flying(r); b != "" {
		t.Fatalf("%q left at once", b)
	}
	if b, _ := within(r, time.Minute); b != "a" {
		t.Fatal("nothing a minute after the network came back")
	}
}

func TestNoAnswerStopsThePass(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	due(r, controllerconn.ClassRest, "ni", "a", 1, "a")
	due(r, controllerconn.ClassRest, "ni", "b", 1, "b")
	flying(r)
	fail(r, "queue", web.FaultTimeout)
	if b := flying(r); b != "" {
		t.Fatalf("%q tried while there is no way", b)
	}
	if n := len(rig.Rows(r, conn.Dues)); n != 2 {
		t.Fatalf("%d items left, want both", n)
	}
	if b, d := within(r, 2*time.Minute); b != "a" || d < time.Minute {
		t.Fatalf("%q under way after %v", b, d)
	}
}

func TestAPI38_RefusedItemsBackOffAndOthersPass(t *testing.T) {
	for _, n := range []int{401, 403, 407, 408, 429, 500, 503} {
		r := newRig(t, port("eth0", 0, "10.0.0.5"))
		due(r, controllerconn.ClassRest, "ni", "a", 1, "a")
		r.Step()
		due(r, controllerconn.ClassRest, "ni", "b", 1, "b")
		flying(r)
		code(r, "queue", n)
		if b := flying(r); b != "b" {
			t.Fatalf("%d: %q follows", n, b)
		}
		code(r, "queue", 201)
		var waits []time.Duration
		for range 6 {
			_, d := within(r, 20*time.Minute)
			waits = append(waits, d)
			code(r, "queue", n)
		}
		if got := fmt.Sprint(waits); got != "[1m0s 2m0s 4m0s 8m0s 15m0s 15m0s]" {
			t.Fatalf("%d: back-off %s", n, got)
		}
	}
}

func TestAPI38_OtherRefusalsDrop(t *testing.T) {
	for _, n := range []int{400, 404, 409, 413, 422} {
		r := newRig(t, port("eth0", 0, "10.0.0.5"))
		due(r, controllerconn.ClassRest, "ni", "a", 1, "a")
		flying(r)
		code(r, "queue", n)
		if rows := rig.Rows(r, conn.Dues); len(rows) != 0 || flying(r) != "" {
			t.Fatalf("%d: still there: %+v", n, rows)
		}
		lines := r.Lines()
		if len(lines) == 0 || !strings.Contains(lines[len(lines)-1].Text, fmt.Sprint(n)) {
			t.Fatalf("%d: no line tells of it: %+v", n, lines)
		}
	}
}

func TestAPI37_NewestStateIsSent(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	due(r, controllerconn.ClassRest, "zero", "z", 1, "zero")
	flying(r)
	for i := range 3 {
		due(r, controllerconn.ClassApp, "app", "a", i+1, fmt.Sprintf("state %d", i))
		r.Step()
	}
	code(r, "queue", 201)
	if b := flying(r); b != "state 2" {
		t.Fatalf("%q sent", b)
	}
	// What changes while it is under way is sent afterwards.
	due(r, controllerconn.ClassApp, "app", "a", 9, "state 9")
	r.Step()
	code(r, "queue", 201)
	if b := flying(r); b != "state 9" {
		t.Fatalf("%q sent after a change under way", b)
	}
	code(r, "queue", 201)
	if b := flying(r); b != "" {
		t.Fatalf("%q sent once more", b)
	}
}

func TestNothingNewIsNotSentUnlessForced(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	due(r, controllerconn.ClassRest, "ni", "a", 1, "same")
	flying(r)
	code(r, "queue", 201)
	due(r, controllerconn.ClassRest, "ni", "a", 2, "same")
	if b := flying(r); b != "" {
		t.Fatalf("%q sent again", b)
	}
	rig.Put(r, marks, mark{Item: controllerconn.Item{Class: controllerconn.ClassRest, Kind: "ni",
		Entity: "a"}, Mark: 3, Force: true, Body: "same"})
	if b := flying(r); b != "same" {
		t.Fatalf("%q under way", b)
	}
	// A refused message is not taken for delivered.
	code(r, "queue", 201)
	due(r, controllerconn.ClassRest, "ni", "a", 4, "other")
	flying(r)
	code(r, "queue", 400)
	due(r, controllerconn.ClassRest, "ni", "a", 5, "other")
	if b := flying(r); b != "other" {
		t.Fatalf("%q under way", b)
	}
}
