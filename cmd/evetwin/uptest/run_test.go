package uptest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

// program is the built evetwin.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "evetwin-uptest")
	if err == nil {
		program = filepath.Join(dir, "evetwin")
		var out []byte
		out, err = exec.Command("go", "build", "-o", program, "github.com/evetwin/evetwin/cmd/evetwin").
			CombinedOutput()
		if err != nil {
			err = fmt.Errorf("build evetwin: %w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Most of a test is waiting for guests and devices.
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience is how long anything may take that is waited for.
const patience = 45 * time.Second

// marker is the variable that marks a test's processes.
const marker = "EVETWIN_UPTEST"

// place is where a test's programs keep things.
type place struct {
	t    *testing.T
	base string
	env  []string
}

// newPlace makes folders and, when the test ends, looks that nothing is left in them.
func newPlace(t *testing.T) *place {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "eu") // short, for the paths of sockets
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, base: base}
	p.env = append(os.Environ(), marker+"="+base, "XDG_STATE_HOME="+base+"/state",
		"XDG_CACHE_HOME="+filepath.Dir(lab.DefaultDirs().Cache), "XDG_RUNTIME_DIR="+base+"/run",
		"TMPDIR="+base+"/tmp")
	for _, d := range []string{"state", "run", "tmp"} {
		if err := os.Mkdir(filepath.Join(base, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, pid := range p.processes("") {
			t.Errorf("process %d is left behind: %s", pid, commandLine(pid))
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		for _, left := range p.files() {
			t.Errorf("%s is left behind", left)
		}
		os.RemoveAll(base)
	})
	return p
}

// real fails the test where guests or the TPM cannot be real.
func (p *place) real() *place {
	labtest.Program(p.t, lab.DefaultQEMU)
	labtest.Program(p.t, "swtpm")
	labtest.Kernel(p.t)
	return p
}

// files are what is in the folders, but for the folder that holds the state folders of runs.
func (p *place) files() []string {
	var out []string
	for _, pattern := range []string{"run/*", "tmp/*", "state/*/*", "state/*/.*"} {
		found, _ := filepath.Glob(filepath.Join(p.base, pattern))
		out = append(out, found...)
	}
	return out
}

// processes are those of the test whose command line has a text, by the mark in their environment.
func (p *place) processes(with string) []int {
	var out []int
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	mark := []byte(marker + "=" + p.base + "\x00")
	for _, path := range all {
		env, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(env, mark) {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		if strings.Contains(commandLine(pid), with) {
			out = append(out, pid)
		}
	}
	return out
}

func commandLine(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.ReplaceAll(string(text), "\x00", " ")
}

// summary is the last line of up.
type summary struct {
	OK                           bool
	Error, URL, Hyper, TPM, UUID string
	OnboardedS                   float64 `json:"onboarded_s"`
	DownloadedS                  float64 `json:"downloaded_s"`
	AnsweredS                    float64 `json:"answered_s"`
	BootID                       string  `json:"boot_id"`
	AdminURL                     string  `json:"admin_url"`
	TokenFile                    string  `json:"token_file"`
	Devices                      int
	ModelGuests                  []struct{ Application, Why string } `json:"model_guests"`
	Notes                        []string
	MadeUp                       []string `json:"made_up"`
}

// step is a line of up before the last.
type step struct {
	Text      string `json:"step"`
	URL, UUID string
	AdminURL  string `json:"admin_url"`
	TokenFile string `json:"token_file"`
}

// run is a program under way.
type run struct {
	t     *testing.T
	cmd   *exec.Cmd
	steps chan step
	seen  []string
	errs  bytes.Buffer
	sum   summary
	ended chan error
}

// command is "evetwin up --json".
func (p *place) command(args ...string) *exec.Cmd {
	c := exec.Command(program, append([]string{"up", "--json"}, args...)...)
	c.Env = p.env
	return c
}

// up starts it.
func (p *place) up(args ...string) *run {
	p.t.Helper()
	r := &run{t: p.t, cmd: p.command(args...), steps: make(chan step, 1000),
		ended: make(chan error, 1)}
	r.cmd.Stderr = &r.errs
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = r.cmd.Process.Kill() }) // where the test has failed before its end
	go func() {
		s := bufio.NewScanner(out)
		for s.Scan() {
			var l struct {
				step
				OK *bool
			}
			switch err := json.Unmarshal(s.Bytes(), &l); {
			case err != nil:
				r.steps <- step{Text: "no JSON: " + s.Text()}
			case l.OK != nil:
				_ = json.Unmarshal(s.Bytes(), &r.sum) // read as JSON above
			default:
				r.steps <- l.step
			}
		}
		close(r.steps)
		r.ended <- r.cmd.Wait()
	}()
	return r
}

// await waits for a step with a text and returns it.
func (r *run) await(with string) step {
	r.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case s, ok := <-r.steps:
			if !ok {
				r.t.Fatalf("ended without a step %q: %v %s %s", with, r.seen, r.sum.Error, r.errs.String())
			}
			r.seen = append(r.seen, s.Text)
			if strings.Contains(s.Text, with) {
				return s
			}
		case <-limit:
			r.t.Fatalf("no step %q in %v: %v", with, patience, r.seen)
		}
	}
}

// wait waits for the end and returns the exit code, -1 for a death by signal.
func (r *run) wait() int {
	r.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case s, ok := <-r.steps:
			if !ok {
				<-r.ended
				return r.cmd.ProcessState.ExitCode()
			}
			r.seen = append(r.seen, s.Text)
		case <-limit:
			_ = r.cmd.Process.Kill()
			r.t.Fatalf("not ended in %v: %v", patience, r.seen)
		}
	}
}

// end waits for a run that nobody reads.
func (r *run) end() {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		_ = r.cmd.Process.Kill()
		r.t.Fatalf("not ended in %v", patience)
	}
}

// onboarded is the UUID in the step that says it.
func (r *run) onboarded() string {
	for _, s := range r.seen {
		if _, uuid, ok := strings.Cut(s, "edge is onboarded as "); ok {
			return uuid
		}
	}
	return ""
}

// signal sends a signal.
func (r *run) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// stop interrupts a run that goes on forever.
func (r *run) stop() {
	r.t.Helper()
	r.signal(syscall.SIGINT)
	if code := r.wait(); code != 0 || !r.sum.OK {
		r.t.Errorf("exit %d, %+v, %s", code, r.sum, r.errs.String())
	}
}
