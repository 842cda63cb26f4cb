package tracetest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

const (
	name  = "quickstart"
	seeds = 5
	times = 20 // of each seed, for each number of cores
)

// run gives the trace and the count of turns of a run in this process, or why there is none.
func run(seed uint64) string {
	sc, err := scenarios.Find(name)
	if err != nil {
		return err.Error()
	}
	h, err := scenario.NewVirtual(seed)
	if err != nil {
		return err.Error()
	}
	r := sc.Run(h, seed)
	if !r.OK || r.Trace == "" {
		return "failed: " + r.Error
	}
	return fmt.Sprintf("%s %d", r.Trace, r.Turns)
}

// form is how run tells of a good run.
var form = regexp.MustCompile(`^[0-9a-f]{16} [0-9]+$`)

// want is the trace of each seed, in order.
func want(t *testing.T) []string {
	t.Helper()
	var out []string
	for seed := range uint64(seeds) {
		out = append(out, run(seed+1))
	}
	for i, a := range out {
		if !form.MatchString(a) {
			t.Fatalf("seed %d: %s", i+1, a)
		}
		for _, b := range out[:i] {
			if a == b {
				t.Fatalf("two seeds have the trace %s", a)
			}
		}
	}
	return out
}

// Runs that share the process do not see each other, however many cores they use.
func TestTheTraceDoesNotDependOnCores(t *testing.T) {
	want := want(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(cores)
		for seed := range uint64(seeds) {
			got := make(chan string, times)
			for range times {
				go func() { got <- run(seed + 1) }()
			}
			for range times {
				if g := <-got; g != want[seed] {
					t.Errorf("seed %d on %d cores: %s, not %s", seed+1, cores, g, want[seed])
				}
			}
		}
	}
}

// build makes the program from a tree and returns its path.
func build(t *testing.T, tree string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "evetwin")
	args := append([]string{"build", "-o", out}, flags...)
	cmd := exec.Command("go", append(args, "./cmd/evetwin")...)
	cmd.Dir = tree
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build in %s: %v: %s", tree, err, text)
	}
	return out
}

// traces gives the traces of all seeds as a process reports them.
func traces(t *testing.T, program, dir string, env ...string) []string {
	t.Helper()
	cmd := exec.Command(program, "run", name, "--json", "--seed", fmt.Sprintf("1..%d", seeds))
	cmd.Dir, cmd.Env = dir, append([]string{"HOME=" + dir}, env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", cmd, err, errs.String())
	}
	var out []string
	for l := range strings.Lines(string(text)) {
		var r scenario.Result
		if err := json.Unmarshal([]byte(l), &r); err != nil || !r.OK {
			t.Fatalf("%v: %s", err, l)
		}
		out = append(out, fmt.Sprintf("%s %d", r.Trace, r.Turns))
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: traces %q, not %q", what, got, want)
	}
}

// root is the folder of this module.
func root(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestTheTraceDoesNotDependOnTheProcess(t *testing.T) {
	want := want(t)
	program := build(t, root(t))
	for _, cores := range []string{"1", "2", "8"} {
		for range times {
			same(t, "GOMAXPROCS="+cores, traces(t, program, t.TempDir(), "GOMAXPROCS="+cores), want)
		}
	}
	for _, env := range [][]string{{"TZ=Asia/Tokyo"}, {"TZ=America/St_Johns", "LANG=tr_TR.UTF-8"},
		{"GOGC=1"}, {"GOGC=off", "GODEBUG=asyncpreemptoff=1"}, {"GODEBUG=gccheckmark=0,madvdontneed=1"}} {
		same(t, strings.Join(env, " "), traces(t, program, t.TempDir(), env...), want)
	}
	same(t, "in /", traces(t, program, "/"), want)
}

// A copy of the tree in another folder, built with the folder's name in the program, has the same
// traces.
func TestTheTraceDoesNotDependOnTheBuild(t *testing.T) {
	want := want(t)
	from, to := root(t), filepath.Join(t.TempDir(), "elsewhere")
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (d.Name() == "bin" || d.Name() == "testdata" || len(rel) > 1 && rel[0] == '.'):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		case !d.Type().IsRegular() || strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	program := build(t, to, "-trimpath=false", "-buildvcs=false")
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), to) {
		t.Fatal("the program does not name the folder it was built in")
	}
	same(t, "built elsewhere", traces(t, program, t.TempDir(), "TZ=Asia/Tokyo"), want)
}
