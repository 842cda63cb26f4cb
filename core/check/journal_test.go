package check

import (
	"encoding/json"
	"testing"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/network"
)

// stored is a row of a record.
func stored(key string, rev uint64, gone bool) host.Stored {
	s := host.Stored{Topic: network.Numbers.String(), Key: key, Rev: rev, Val: json.RawMessage("{}")}
	if gone {
		s.Val = nil
	}
	return s
}

func number(uuid string, n int) network.UuidToNum {
	return network.UuidToNum{UUID: uuid, NumType: "appNum", Number: n}
}

func TestCommittedSurvives(t *testing.T) {
	calm := func(t *testing.T) *tape {
		tp := start(t, survives())
		put(tp, network.Numbers, number("a", 1))
		put(tp, network.Numbers, number("b", 2))
		return tp
	}
	again := func(tp *tape) { put(tp, clock.Clock, clock.ClockSeen{}) } // something of the new boot
	next := func(tp *tape) uint64 { return tp.table(network.Numbers.Decl).Head().Rev() + 1 }

	tp := calm(t).reboot(nil)
	again(tp)
	tp.keeps()

	tp = calm(t).reboot(func(_ *bus.Decl, key string) bool { return key != "appNum.a" })
	again(tp)
	tp.breaks()

	// The turn under way deleted it.
	tp = calm(t)
	tp.c.Writing(&host.Record{Agent: "zedrouter",
		Rows: []host.Stored{stored("appNum.a", next(tp), true)}})
	tp = tp.reboot(func(_ *bus.Decl, key string) bool { return key != "appNum.a" })
	again(tp)
	tp.keeps()

	// The turn under way deleted one and made another; only one of both came true.
	tp = calm(t)
	rev := next(tp)
	tp.c.Writing(&host.Record{Agent: "zedrouter", Rows: []host.Stored{
		stored("appNum.a", rev, true), stored("appNum.c", rev+1, false)}})
	tp = tp.reboot(func(_ *bus.Decl, key string) bool { return key != "appNum.a" })
	again(tp)
	tp.breaks()

	// A record that everybody saw must be there.
	tp = calm(t)
	tp.c.Writing(&host.Record{Agent: "zedrouter",
		Rows: []host.Stored{stored("appNum.c", next(tp), false)}})
	put(tp, network.Numbers, number("c", 3))
	tp = tp.reboot(func(_ *bus.Decl, key string) bool { return key != "appNum.c" })
	again(tp)
	tp.breaks()

	// What nobody ever saw, and nobody was writing, must not be there.
	tp = calm(t).reboot(nil)
	s := bus.NewShelf(network.Numbers.Decl, 0)
	h := tp.table(network.Numbers.Decl).Head()
	for key, row := range h.All() {
		_, rev := h.Get(key)
		s.Load(key, rev, row)
	}
	extra := number("x", 9)
	s.Load(extra.Key(), 7, &extra)
	tp.tables[network.Numbers.Decl] = bus.NewWriter(network.Numbers.Decl, s.Head(), &tp.way)
	again(tp)
	tp.breaks()
}
