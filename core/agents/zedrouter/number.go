package zedrouter

import (
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Kinds of numbers that are kept per object.
const (
	appNum    = "appNum"
	bridgeNum = "bridgeNum"
)

const (
	highest   = 255             // bridges and applications are numbered from 1 to this
	keptAfter = 5 * time.Minute // a number is its owner's for so long after the owner went
	// takenAfter is when it may be taken from that owner, if there is no other.
	takenAfter = time.Second
)

// leaving remembers when a number is free for others. Lost in a crash, it begins anew.
type leaving struct {
	Number string // key of the number's row
	At     time.Duration
}

// Key is the number's.
func (l leaving) Key() string { return l.Number }

// takeable is when the number may be taken if no other is free.
func (l *leaving) takeable() time.Duration { return l.At - keptAfter + takenAfter }

var leavings = bus.NewTopic[leaving](bus.Decl{Owner: "zedrouter", Name: "Leaving", Life: bus.Local})

// number gives an object its number: the one it had, else the lowest free one, else the one whose
// owner went first. It is 0 if all are in use.
func (s *sheet) number(kind, id string) int {
	row := network.UuidToNum{UUID: id, NumType: kind, InUse: true}
	if old := s.z.numbers.Get(row.Key()); old != nil {
		row.Number = old.Number
	} else if slices.Contains(s.spent, kind) {
		return 0
	} else if row.Number = s.free(kind); row.Number == 0 {
		s.spent = append(s.spent, kind)
		return 0
	}
	s.z.numbers.Put(row)
	s.z.leaving.Delete(row.Key())
	s.t.Unwake(row.Key())
	return row.Number
}

// free finds a number for a new owner.
func (s *sheet) free(kind string) int {
	var taken [highest + 1]bool
	for _, row := range s.z.numbers.All() {
		if row.NumType == kind && row.Number <= highest {
			taken[row.Number] = true
		}
	}
	for n := 1; n <= highest; n++ {
		if !taken[n] {
			return n
		}
	}
	var first *leaving
	for key, l := range s.z.leaving.All() {
		if strings.HasPrefix(key, kind+".") && (first == nil || l.At < first.At) {
			first = l
		}
	}
	if first == nil {
		return 0
	}
	if s.t.Now < first.takeable() {
		return 0
	}
	n := s.z.numbers.Get(first.Number).Number
	s.forget(first.Number)
	return n
}

func (s *sheet) forget(number string) {
	s.z.numbers.Delete(number)
	s.z.leaving.Delete(number)
	s.t.Unwake(number)
}

// expire frees what nobody waits for any more: numbers whose time is up, and those of interfaces
// that are gone, at once, for another one may wait for the address.
func (s *sheet) expire() {
	for key, l := range s.z.leaving.All() {
		if s.t.Now >= l.At {
			s.forget(key)
		}
	}
	for key, row := range s.z.interfaces.All() {
		if s.interfaceGone(row) {
			s.z.interfaces.Delete(key)
		}
	}
}

// release begins to count down for the numbers whose owners went in this turn, or were never seen
// in this boot.
func (s *sheet) release() {
	for key, row := range s.z.numbers.All() {
		if row.InUse && !s.ownerGone(row) {
			continue
		}
		kept := *row
		kept.InUse = false
		s.z.numbers.Put(kept)
		l := s.z.leaving.Get(key)
		if l == nil {
			l = &leaving{Number: key, At: s.t.Now + keptAfter}
			s.z.leaving.Put(*l)
		}
		s.t.WakeAt(key, l.At)
		if at := l.takeable(); s.t.Now < at {
			s.t.WakeAt("take "+key, at)
		}
	}
}

// ownerGone reports whether nothing is left of the object that a number is for.
func (s *sheet) ownerGone(row *network.UuidToNum) bool {
	if row.NumType == bridgeNum {
		return s.z.instances.Gone(row.UUID) && s.z.status.Get(row.UUID) == nil
	}
	return s.appGone(row.UUID) && s.z.appStatus.Get(row.UUID) == nil
}

// appGone reports whether an application is gone for good. One that is configured may have no
// network configuration yet, such as after a boot.
func (s *sheet) appGone(id string) bool { return s.z.apps.Gone(id) && s.z.known.Gone(id) }

// interfaceGone reports whether an interface is neither wished nor attached any more.
func (s *sheet) interfaceGone(row *network.AppInterfaceToNum) bool {
	if !s.z.apps.Complete() || !s.z.known.Complete() || s.attached(row.AppID, row.NetInstID) {
		return false
	}
	if c := s.z.apps.Get(row.AppID); c != nil {
		return !lists(c.AppNetAdapterList, row)
	}
	c := s.z.known.Get(row.AppID)
	return c == nil || !lists(c.AppNetAdapterList, row)
}

func lists(all []network.AppNetAdapterConfig, row *network.AppInterfaceToNum) bool {
	for i := range all {
		if all[i].Network == row.NetInstID && all[i].IfIdx == row.IfIdx {
			return true
		}
	}
	return false
}

// attached reports whether the part still has an interface of an application on an instance; any
// application if app is empty, any instance if ni is.
func (s *sheet) attached(app, ni string) bool {
	if s.laid == nil {
		s.laid = map[string]bool{}
		for _, row := range s.z.items.All() {
			if v := row.Spec.Vif; v != nil {
				s.laid[v.AppID+" "+v.Network] = true
				s.laid[v.AppID+" "] = true
				s.laid[" "+v.Network] = true
			}
		}
	}
	return s.laid[app+" "+ni]
}
