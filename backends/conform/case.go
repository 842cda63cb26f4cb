package conform

import (
	"fmt"
	"testing"
)

// Backend is who a suite is run on.
type Backend struct {
	// Name is that of the backend, "model", "swtpm", "linux".
	Name string
	// Real says that it is no model. What is seen of a real part, case by case, must be what is seen
	// of the model.
	Real bool
	// StandIn says that a real part works on something that stands in for what this machine lacks. It
	// is held against the model, and no case counts as one on the real part for it.
	StandIn bool
	// Model names the backend that a real one is held against; empty means "model".
	Model string
	// Lacks says why this machine cannot do what a case needs; empty if it can. Nil: it can do all.
	Lacks func(need string) string
	// Report takes what was found; nil: nobody wants to know.
	Report *Report
}

// Case is one thing that a part has to do.
type Case[X any] struct {
	Name string
	// Clause is the sentence of the contract that the case stands for.
	Clause string
	// Needs names what a machine must be able to do for the case, "vlan"; empty: nothing special.
	Needs string
	// Loose says why two runs of the case may be seen to differ: what is seen is then not compared,
	// and only what the case itself demands counts. Empty for all others.
	Loose string
	Run   func(x X, t *testing.T)
}

// Group is a list of cases that follow one another on one device.
type Group[X any] struct {
	Name  string
	Cases []Case[X]
}

// suite is all that a part has to do.
type suite[X observed] struct {
	part   string
	groups []Group[X]
	// show says how a row reads in a transcript, by topic; it leaves out what differs between
	// backends that do the same, as numbers of processes. An empty text leaves out the row; a topic
	// that is not here shows its rows whole.
	show map[string]func(row any) string
}

// observed is a bench.
type observed interface{ watch() *transcript }

// run runs the suite on a backend; fresh boots a device for a group.
func (s suite[X]) run(t *testing.T, b Backend, fresh func(t *testing.T) X) {
	for _, g := range s.groups {
		t.Run(g.Name, func(t *testing.T) {
			x := fresh(t)
			x.watch().show = s.show
			for _, c := range g.Cases {
				t.Run(c.Name, func(t *testing.T) { s.one(t, b, g.Name, c, x) })
			}
		})
	}
}

// one runs a case and reports it.
func (s suite[X]) one(t *testing.T, b Backend, group string, c Case[X], x X) {
	if c.Clause == "" {
		t.Error("the case does not say which clause of the contract it stands for")
	}
	r := result{part: s.part, name: group + "/" + c.Name, loose: c.Loose, on: b}
	if c.Needs != "" && b.Lacks != nil {
		if r.skipped = b.Lacks(c.Needs); r.skipped != "" {
			r.skipped = fmt.Sprintf("%s: %s", c.Needs, r.skipped)
			b.Report.add(r)
			t.Skip(r.skipped)
		}
	}
	x.watch().begin()
	defer func() {
		r.failed = t.Failed()
		r.seen = x.watch().end()
		b.Report.add(r)
	}()
	c.Run(x, t)
}
