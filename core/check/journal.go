package check

import (
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// survives: a turn is visible only when it is durable, so whatever anybody saw must be there.
func survives() Rule {
	return Rule{Name: "committed-survives", Covers: []string{"DEV-13"},
		Says: "A persistent row that was visible before the power went is there after the boot, as it " +
			"was or as the turn under way then made it, and such a turn is there whole or not at all.",
		New: func(e *Ear) {
			s := &survival{e: e, writing: map[string]*host.Record{}}
			e.OnWrite(func(r *host.Record) { s.writing[r.Agent] = r })
			e.OnAnyRows(s.visible)
			e.OnBoot(func(was Boot) {
				if was != nil {
					s.compare(was)
				}
				clear(s.writing)
			})
		}}
}

type survival struct {
	e       *Ear
	writing map[string]*host.Record // by agent: an agent has one at a time
}

// visible forgets a record that everybody sees.
func (s *survival) visible(owner string, rows []Change) {
	if s.writing[owner] == nil {
		return
	}
	for i := range rows {
		if rows[i].Topic.Life == bus.Persistent {
			delete(s.writing, owner)
			return
		}
	}
}

// fate is what became of a record that was under way: which of its rows are there and which not.
type fate struct{ there, missing string }

// compare holds what the journal kept against what was visible.
func (s *survival) compare(was Boot) {
	for _, d := range was.Topics() {
		if d.Life != bus.Persistent {
			continue
		}
		old, _ := was.Head(d)
		now, ok := s.e.Boot().Head(d)
		if !ok {
			continue // the roster changed
		}
		rec := s.writing[d.Owner]
		for key, row := range old.All() {
			s.e.Judged()
			_, rev := old.Get(key)
			kept, keptRev := now.Get(key)
			switch {
			case keptRev == rev && !d.Equal(row, kept):
				s.e.Break(d.String(), key, "it was read back as something else")
			case keptRev != rev && !written(rec, d, key, keptRev):
				s.e.Break(d.String(), key, "its revision was %d, and is %d after the boot", rev, keptRev)
			}
		}
		for key := range now.All() {
			_, rev := now.Get(key)
			if _, before := old.Get(key); before == 0 && !written(rec, d, key, rev) {
				s.e.Break(d.String(), key, "it was not there before the boot")
			}
		}
	}
	for _, d := range was.Topics() {
		if rec := s.writing[d.Owner]; rec != nil {
			delete(s.writing, d.Owner)
			s.whole(rec, was)
		}
	}
}

// written reports whether a record leaves a row at a revision, 0 for a row that it deletes.
func written(rec *host.Record, d *bus.Decl, key string, rev uint64) bool {
	if rec == nil {
		return false
	}
	for i := len(rec.Rows) - 1; i >= 0; i-- {
		r := &rec.Rows[i]
		if r.Topic == d.String() && r.Key == key {
			return r.Val == nil && rev == 0 || r.Val != nil && r.Rev == rev
		}
	}
	return false
}

// whole judges that a record was kept as a unit.
func (s *survival) whole(rec *host.Record, was Boot) {
	var f fate
	for _, d := range was.Topics() {
		if d.Life != bus.Persistent || d.Owner != rec.Agent {
			continue
		}
		now, _ := s.e.Boot().Head(d)
		old, _ := was.Head(d)
		for i := range rec.Rows {
			r := &rec.Rows[i]
			if r.Topic != d.String() {
				continue
			}
			_, before := old.Get(r.Key)
			_, rev := now.Get(r.Key)
			switch {
			case written(rec, d, r.Key, rev) && rev != before:
				f.there = r.Topic + " " + r.Key
			case !written(rec, d, r.Key, rev):
				f.missing = r.Topic + " " + r.Key
			}
		}
	}
	if f.there != "" {
		s.e.Judged()
		if f.missing != "" {
			s.e.Break(rec.Agent, f.missing, "of the turn that the power cut, %s is there and this is not",
				f.there)
		}
	}
}
