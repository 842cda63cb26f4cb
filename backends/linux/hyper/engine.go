package hyper

import (
	"errors"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
)

// errGone says that there is no such domain.
var errGone = errors.New("no such domain")

// engine is what runs domains. Its calls block; one call at a time is made.
type engine interface {
	// over says that no call can succeed any more.
	over() bool
	// names are the domains that are there, ours and others.
	names() ([]string, error)
	// read finds a domain; errGone.
	read(name string) (found, error)
	// annotate replaces the note of a domain, whether or not it runs.
	annotate(name string, note []byte) error
	// define makes a domain, or describes one that is off anew.
	define(d domxml.Domain) error
	// launch starts a domain that does not execute yet.
	launch(name string) error
	// resume lets it execute.
	resume(name string) error
	// press presses the power button.
	press(name string) error
	// kill ends a domain that runs; its definition stays.
	kill(name string) error
	// forget removes a domain that is off.
	forget(name string) error
	// use is what a domain that runs uses now: processor time in ns and memory in MiB.
	use(name string) (cpu, memory uint64, err error)
}

// condition is what a domain does.
type condition int

// Conditions of domains. What a domain that is off ended by is known only as long as the engine
// remembers it.
const (
	offUnknown condition = iota
	offShutdown
	offKilled
	offCrashed
	executing
	paused
	goingDown
)

// alive says that something of the guest is still there.
func (c condition) alive() bool { return c >= executing }

// found is a domain.
type found struct {
	note []byte // nil: it is not ours
	is   condition
}
