package replay

import (
	"fmt"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/trace"
)

// shelf is a topic and the versions of it that somebody may still be shown, by revision.
type shelf struct {
	decl     *bus.Decl
	name     string
	versions []bus.Head
	readers  []*sub
	prune    int // how many versions are looked through next
}

const pruneFrom = 256

func newShelf(d *bus.Decl, boot uint64) *shelf {
	return &shelf{decl: d, name: d.String(), versions: []bus.Head{bus.Empty(trace.Base(boot))},
		prune: pruneFrom}
}

func (s *shelf) newest() bus.Head { return s.versions[len(s.versions)-1] }

// add takes a version. One of a revision that is there already replaces it, for who is shown it
// from now on: it has been declared complete.
func (s *shelf) add(h bus.Head) {
	i := len(s.versions)
	for i > 0 && s.versions[i-1].Rev() > h.Rev() {
		i--
	}
	if i > 0 && s.versions[i-1].Rev() == h.Rev() {
		s.versions[i-1] = h
		return
	}
	s.versions = append(s.versions, bus.Head{})
	copy(s.versions[i+1:], s.versions[i:])
	s.versions[i] = h
	if len(s.versions) >= s.prune {
		s.forget()
	}
}

// forget drops the versions that are older than what every reader has been shown.
func (s *shelf) forget() {
	least := s.newest().Rev()
	for _, r := range s.readers {
		least = min(least, r.Head().Rev())
	}
	n := 0
	for n < len(s.versions)-1 && s.versions[n].Rev() < least {
		n++
	}
	s.versions = append(s.versions[:0:0], s.versions[n:]...)
	s.prune = max(pruneFrom, 2*len(s.versions))
}

// at is the version of a revision.
func (s *shelf) at(m trace.Move) (bus.Head, error) {
	for i := len(s.versions) - 1; i >= 0 && s.versions[i].Rev() >= m.Rev; i-- {
		h := s.versions[i]
		if h.Rev() != m.Rev {
			continue
		}
		if h.Complete() != m.Complete {
			h = h.At(m.Rev, m.Complete)
			s.versions[i] = h
		}
		return h, nil
	}
	return bus.Head{}, fmt.Errorf("%w: %s at revision %d", ErrGap, s.name, m.Rev)
}

// change is a version behind some rows.
func (s *shelf) change(h bus.Head, rows []trace.Row) (bus.Head, error) {
	for i := range rows {
		r := &rows[i]
		if r.Topic != s.name {
			continue
		}
		if r.Val.IsZero() {
			h = h.With(r.Key, r.Rev, nil)
			continue
		}
		v, err := s.row(r)
		if err != nil {
			return h, err
		}
		h = h.With(r.Key, r.Rev, v)
	}
	return h, nil
}

// row is a recorded row as the program's type.
func (s *shelf) row(r *trace.Row) (any, error) {
	v := s.decl.NewRow()
	if err := r.Val.Into(v); err != nil {
		return nil, fmt.Errorf("%w: row %s of %s: %w", ErrRow, r.Key, r.Topic, err)
	}
	return v, nil
}

// table takes a table as a whole.
func (s *shelf) table(t *trace.Table) error {
	h, err := s.change(bus.Empty(0), t.Rows)
	if err != nil {
		return err
	}
	s.add(h.At(t.Rev, t.Complete))
	return nil
}
