package proof

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Proof is one test that proved a behaviour.
type Proof struct {
	// Place is where it ran.
	Place Place
	// Test names it: folder and test, or folder and scenario.
	Test string
}

// Tally collects proofs from the output of test runs.
type Tally struct {
	module string
	proofs map[Behaviour][]Proof
	tests  map[testID]*result
	failed []string
	errs   []error
}

// testID names a test of a run.
type testID struct{ pkg, test string }

// result is what is known of one test.
type result struct {
	action string
	line   strings.Builder
	passed bool // a subtest passed
	parent bool // it has subtests
}

// event is one line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// NewTally returns an empty tally for the tests of a module.
func NewTally(module string) *Tally {
	return &Tally{module: module, proofs: map[Behaviour][]Proof{}, tests: map[testID]*result{}}
}

// Read takes in the output of one go test -json. Lines that are not JSON are passed over: the go
// command writes its own complaints between.
func (t *Tally) Read(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 && line[0] == '{' {
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				return fmt.Errorf("read test output: %w", err)
			}
			t.take(e)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read test output: %w", err)
		}
	}
	t.judge()
	return nil
}

// take notes one event.
func (t *Tally) take(e event) {
	id := testID{e.Package, e.Test}
	r := t.tests[id]
	if r == nil {
		r = &result{}
		t.tests[id] = r
	}
	switch e.Action {
	case "output":
		r.line.WriteString(e.Output)
		if text := r.line.String(); strings.HasSuffix(text, "\n") {
			r.line.Reset()
			for l := range strings.Lines(text) {
				t.covers(id, l)
			}
		}
	case "build-fail":
		t.failed = append(t.failed, e.ImportPath+" does not build")
	case "pass", "skip":
		r.action = e.Action
	case "fail":
		r.action = e.Action
		if e.Test != "" {
			t.failed = append(t.failed, t.name(id))
		} else if !t.anyFailed(e.Package) {
			t.failed = append(t.failed, t.dir(e.Package))
		}
	}
}

// anyFailed reports whether a test of a package failed, so that the package need not be named.
func (t *Tally) anyFailed(pkg string) bool {
	return slices.ContainsFunc(t.failed, func(name string) bool {
		return strings.HasPrefix(name, t.dir(pkg)+".")
	})
}

// covers reads a line that a scenario prints when it has ended.
func (t *Tally) covers(id testID, line string) {
	before, list, found := strings.Cut(line, "covers: ")
	if !found || before != "" && !strings.HasSuffix(before, " ") {
		return
	}
	words := strings.Fields(list)
	if len(words) == 0 || words[len(words)-1] != "ok" {
		return
	}
	place, name := PlaceOf(t.dir(id.pkg)), t.name(id)
	var named []Behaviour
	for _, w := range words[:len(words)-1] {
		key, value, isPair := strings.Cut(w, "=")
		area, digits, isNumber := strings.Cut(w, "-")
		switch {
		case isPair && key == "host" && slices.Contains(places, Place(value)):
			place = Place(value)
		case isPair && key == "name":
			name = t.dir(id.pkg) + "." + value
		case isPair && key != "host":
		case isNumber && !isPair:
			b, err := parse(area, digits)
			if err != nil {
				t.errs = append(t.errs, fmt.Errorf("line %q: %w", strings.TrimSpace(line), err))
				return
			}
			named = append(named, b)
		default:
			t.errs = append(t.errs, fmt.Errorf("line %q: %s means nothing",
				strings.TrimSpace(line), w))
			return
		}
	}
	for _, b := range named {
		t.add(b, Proof{place, name})
	}
}

// judge counts the tests that have ended, and forgets them.
func (t *Tally) judge() {
	for id, r := range t.tests {
		if at := strings.LastIndexByte(id.test, '/'); at >= 0 {
			if up := t.tests[testID{id.pkg, id.test[:at]}]; up != nil {
				up.parent = true
				up.passed = up.passed || r.action == "pass"
			}
		}
	}
	for id, r := range t.tests {
		if id.test == "" {
			continue
		}
		named, err := Claims(id.test)
		if err != nil {
			t.errs = append(t.errs, err)
			continue
		}
		// A parent all of whose subtests were skipped passes, and proves nothing.
		if r.action != "pass" || r.parent && !r.passed {
			continue
		}
		for _, b := range named {
			t.add(b, Proof{PlaceOf(t.dir(id.pkg)), t.name(id)})
		}
	}
	clear(t.tests)
}

// add notes a proof once. The subtests of a test add nothing to it.
func (t *Tally) add(b Behaviour, p Proof) {
	if !slices.Contains(t.proofs[b], p) {
		t.proofs[b] = append(t.proofs[b], p)
	}
}

// dir is the folder of a package in the repository.
func (t *Tally) dir(pkg string) string {
	return strings.TrimPrefix(strings.TrimPrefix(pkg, t.module), "/")
}

// name writes a test as folder and name.
func (t *Tally) name(id testID) string {
	if id.test == "" {
		return t.dir(id.pkg)
	}
	return t.dir(id.pkg) + "." + id.test
}
