package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// event is one line of go test -json.
type event struct {
	Action, Package, Test, Output string
}

// printer turns events back into what go test prints, a package at a time.
type printer struct {
	out      io.Writer
	packages map[string]*running
	skipped  []skip
	failed   bool
}

// running is a package under test.
type running struct {
	lines []event // output so far
	fails map[string]bool
}

// skip is a test that was left out.
type skip struct{ pkg, test, reason string }

func newPrinter(out io.Writer) *printer {
	return &printer{out: out, packages: map[string]*running{}}
}

// read prints the packages as they end.
func (p *printer) read(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		switch {
		case len(line) > 0 && line[0] == '{':
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				return fmt.Errorf("read test output: %w", err)
			}
			p.take(e)
		case len(line) > 0:
			p.print(string(line))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read test output: %w", err)
		}
	}
}

// take notes one event.
func (p *printer) take(e event) {
	pkg := p.packages[e.Package]
	if pkg == nil {
		pkg = &running{fails: map[string]bool{}}
		p.packages[e.Package] = pkg
	}
	switch e.Action {
	case "build-output":
		p.print(e.Output)
	case "build-fail":
		p.failed = true
	case "output":
		pkg.lines = append(pkg.lines, e)
	case "skip":
		if e.Test != "" {
			p.skipped = append(p.skipped, skip{e.Package, e.Test, pkg.reason(e.Test)})
			return
		}
		p.finish(e.Package, pkg)
	case "pass":
		if e.Test == "" {
			p.finish(e.Package, pkg)
		}
	case "fail":
		p.failed = true
		pkg.fails[e.Test] = true
		if e.Test == "" {
			p.finish(e.Package, pkg)
		}
	}
}

// finish prints a package that has ended: its closing line, and if it failed, what its failed
// tests said.
func (p *printer) finish(name string, pkg *running) {
	for _, e := range pkg.lines {
		framing := strings.HasPrefix(e.Output, "=== ")
		closing := strings.HasPrefix(e.Output, "ok  \t") || strings.HasPrefix(e.Output, "?   \t")
		if pkg.fails[e.Test] && !framing || e.Test == "" && closing {
			p.print(e.Output)
		}
	}
	delete(p.packages, name)
}

// place is what testing writes before a message.
var place = regexp.MustCompile(`^\S+\.go:\d+: `)

// reason is what a skipped test said.
func (r *running) reason(test string) string {
	var words []string
	for _, e := range r.lines {
		text := strings.TrimSpace(e.Output)
		if e.Test == test && !strings.HasPrefix(text, "===") && !strings.HasPrefix(text, "---") {
			words = append(words, place.ReplaceAllString(text, ""))
		}
	}
	if len(words) == 0 {
		return "no reason given"
	}
	return strings.Join(words, " ")
}

// end prints what go test prints last, and what was left out, by package and reason.
func (p *printer) end() {
	if p.failed {
		p.print("FAIL\n")
	}
	type group struct{ pkg, reason string }
	tests := map[group][]string{}
	var order []group
	for _, s := range p.skipped {
		g := group{s.pkg, s.reason}
		if tests[g] == nil {
			order = append(order, g)
		}
		tests[g] = append(tests[g], s.test)
	}
	slices.SortFunc(order, func(a, b group) int {
		return strings.Compare(a.pkg+a.reason, b.pkg+b.reason)
	})
	for _, g := range order {
		p.print(fmt.Sprintf("left out: %s: %s (%s)\n", g.pkg, g.reason, names(tests[g])))
	}
}

// names lists some of many.
func names(tests []string) string {
	const some = 3
	if len(tests) <= some {
		return strings.Join(tests, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(tests[:some], ", "), len(tests)-some)
}

// print writes text; a terminal that is gone cannot be told.
func (p *printer) print(text string) { fmt.Fprint(p.out, text) }
