package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines writes events: action, package, test and output.
func lines(events ...[4]string) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "{\"Action\":%q,\"Package\":%q,\"Test\":%q,\"Output\":%q}\n", e[0], e[1],
			e[2], e[3])
	}
	return b.String()
}

func TestPrinter(t *testing.T) {
	in := lines(
		[4]string{"output", "x/a", "TestGood", "=== RUN   TestGood\n"},
		[4]string{"output", "x/a", "TestGood", "    a_test.go:1: chatter\n"},
		[4]string{"pass", "x/a", "TestGood", ""},
		[4]string{"output", "x/b", "TestBad", "=== RUN   TestBad\n"},
		[4]string{"output", "x/b", "TestBad", "    b_test.go:7: it broke\n"},
		[4]string{"output", "x/b", "TestBad", "--- FAIL: TestBad (0.00s)\n"},
		[4]string{"fail", "x/b", "TestBad", ""},
		[4]string{"output", "x/a", "TestRoot", "    a_test.go:5: needs root\n"},
		[4]string{"output", "x/a", "TestRoot", "--- SKIP: TestRoot (0.00s)\n"},
		[4]string{"skip", "x/a", "TestRoot", ""},
		[4]string{"skip", "x/a", "TestQuiet", ""},
		[4]string{"output", "x/a", "", "PASS\n"},
		[4]string{"output", "x/a", "", "ok  \tx/a\t0.1s\n"},
		[4]string{"pass", "x/a", "", ""},
		[4]string{"output", "x/b", "", "FAIL\n"},
		[4]string{"output", "x/b", "", "FAIL\tx/b\t0.1s\n"},
		[4]string{"fail", "x/b", "", ""},
		[4]string{"output", "x/c", "", "?   \tx/c\t[no test files]\n"},
		[4]string{"skip", "x/c", "", ""},
		[4]string{"build-output", "", "", "x/d/d.go:1:1: expected package\n"},
	) + "go: a warning\n"
	var out strings.Builder
	p := newPrinter(&out)
	if err := p.read(strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	p.end()
	want := `ok  	x/a	0.1s
    b_test.go:7: it broke
--- FAIL: TestBad (0.00s)
FAIL
FAIL	x/b	0.1s
?   	x/c	[no test files]
x/d/d.go:1:1: expected package
go: a warning
FAIL
left out: x/a: needs root (TestRoot)
left out: x/a: no reason given (TestQuiet)
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}

func TestPrinterCountsMany(t *testing.T) {
	var in strings.Builder
	for i := range 5 {
		in.WriteString(lines([4]string{"skip", "x/a", fmt.Sprint("Test", i), ""}))
	}
	var out strings.Builder
	p := newPrinter(&out)
	if err := p.read(strings.NewReader(in.String())); err != nil {
		t.Fatal(err)
	}
	p.end()
	want := "left out: x/a: no reason given (Test0, Test1, Test2 and 2 more)\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

func TestRunPassesTheStatusOn(t *testing.T) {
	var out, errs strings.Builder
	dir := t.TempDir()
	if err := run(dir+"/record", []string{"-run", "TestPrinterCounts", "."}, &out,
		&errs); err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	if !strings.HasPrefix(out.String(), "ok  \t") {
		t.Errorf("printed %q", out.String())
	}
	if err := run("", []string{"./no-such-folder"}, &out, &errs); err == nil {
		t.Error("a folder that is not there passed")
	}
}
