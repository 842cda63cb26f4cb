package bus

import "iter"

// Mode says how a subscriber takes part in a topic.
type Mode uint8

const (
	// Needed holds back the first turn until what the topic holds has been shown, and refuses to
	// start on a device where nobody publishes it.
	Needed Mode = iota
	// Optional topics may have no publisher on this device.
	Optional
	// Quiet changes show in the next turn but do not cause one; else as Optional.
	Quiet
)

// Port is an agent's connection to its host while it is constructed.
type Port interface {
	// Agent is the name under which the agent runs and publishes.
	Agent() string
	// Subscribe attaches to a topic; a second call for the same topic returns the same cursor, and the
	// strictest mode of all calls holds.
	Subscribe(*Decl, Mode) *Cursor
	// Publish claims a topic and panics unless the agent owns it.
	Publish(*Decl) (*Cursor, Outlet)
	// Use declares an op (package agent) and returns its call table.
	Use(op any) any
}

// Outlet takes the writes of the current turn; nothing leaves before the turn ends.
type Outlet interface {
	// Write puts a row (a pointer to the topic's row type) or, with nil, deletes it.
	Write(c *Cursor, key string, val any)
	// Complete declares the table whole.
	Complete(c *Cursor)
}

// Subscribe attaches to a topic, as Needed unless another mode is given.
func Subscribe[V Row](p Port, t Topic[V], m ...Mode) *Sub[V] {
	mode := Needed
	if len(m) > 0 {
		mode = m[0]
	}
	return &Sub[V]{Table[V]{p.Subscribe(t.Decl, mode)}}
}

// Publish claims a topic; it panics unless the agent owns it. Topics of life Local are the agent's
// memory: nobody else sees them but the recorder and the terminal.
func Publish[V Row](p Port, t Topic[V]) *Pub[V] {
	c, out := p.Publish(t.Decl)
	return &Pub[V]{Table: Table[V]{c}, out: out}
}

// SubFamily is a view of all members of a family.
type SubFamily[V Row] struct {
	owners []string
	subs   []*Sub[V]
}

// SubscribeFamily attaches to every member but the subscriber itself, as Optional or Quiet.
func SubscribeFamily[V Row](p Port, f Family[V], m ...Mode) *SubFamily[V] {
	mode := Optional
	if len(m) > 0 {
		mode = m[0]
	}
	s := &SubFamily[V]{}
	for i, o := range f.owners {
		if o != p.Agent() {
			s.owners = append(s.owners, o)
			s.subs = append(s.subs, Subscribe(p, f.topics[i], mode))
		}
	}
	return s
}

// All yields owner and row, by owner in declared order, then by key.
func (s *SubFamily[V]) All() iter.Seq2[string, *V] {
	return func(yield func(string, *V) bool) {
		for i, o := range s.owners {
			for _, v := range s.subs[i].All() {
				if !yield(o, v) {
					return
				}
			}
		}
	}
}

// Changed yields owner and delta of every row that moved, by owner in declared order, then by key.
func (s *SubFamily[V]) Changed() iter.Seq2[string, Delta[V]] {
	return func(yield func(string, Delta[V]) bool) {
		for i, o := range s.owners {
			for _, d := range s.subs[i].Changed() {
				if !yield(o, d) {
					return
				}
			}
		}
	}
}

// Of is the view of one member, nil if it is not of the family or the subscriber itself.
func (s *SubFamily[V]) Of(owner string) *Sub[V] {
	for i, o := range s.owners {
		if o == owner {
			return s.subs[i]
		}
	}
	return nil
}
