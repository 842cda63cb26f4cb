package uptest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/core/agents/roster"
)

// zedbox builds the program of a device beside the one that is tested.
func zedbox(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(filepath.Dir(program), "zedbox")
	out, err := exec.Command("go", "build", "-o", path, "github.com/evetwin/evetwin/cmd/zedbox").
		CombinedOutput()
	if err != nil {
		t.Fatalf("build zedbox: %v: %s", err, out)
	}
	return path
}

// machine fails the test where a device cannot be of real parts.
func (p *place) machine() *place {
	labtest.Program(p.t, libvirtd.DefaultProgram)
	labtest.Program(p.t, "nft")
	labtest.Program(p.t, "dnsmasq")
	if os.Getuid() != 0 {
		labtest.Missing(p.t, "a device of real parts needs root")
	}
	return p.real()
}

// idle is what "bench idle" measures.
type idle struct {
	RSS       float64 `json:"rss_mib"`
	Agents    int
	Processes int
	Onboarded bool
	Models    bool
	Programs  float64 `json:"programs_mib"`
	Binary    float64 `json:"binary_mb"`
	Start     float64 `json:"start_ms"`
}

// benchIdle measures for a moment.
func benchIdle(p *place, flags ...string) (x idle) {
	p.t.Helper()
	c := exec.Command(program, append([]string{"bench", "idle", "--json", "--for", "100ms",
		"--settle", "0s"}, flags...)...)
	c.Env = p.env
	out, err := c.Output()
	if err == nil {
		err = json.Unmarshal(out, &x)
	}
	if err != nil || !x.Onboarded || x.Agents != len(roster.Agents()) || x.RSS < 5 || x.RSS > 400 ||
		x.Binary < 5 || x.Binary > 50 || x.Start <= 0 {
		p.t.Errorf("%s: %v, %s", flags, err, out)
	}
	return x
}

// The idle device of the measurement is a whole one: in one process or in one per agent, onboarded,
// and gone behind it.
func TestBenchIdle(t *testing.T) {
	p := newPlace(t)
	zedbox(t)
	if x := benchIdle(p, "--models"); x.Processes != 1 || !x.Models {
		t.Errorf("one process: %+v", x)
	}
	if x := benchIdle(p, "--models", "--split"); x.Processes != x.Agents+2 {
		t.Errorf("a process per agent: %+v", x)
	}
	if x := benchIdle(p.machine()); x.Processes != 1 || x.Models || x.Programs < 1 {
		t.Errorf("real parts: %+v", x)
	}
}

// A device of real parts comes up as the twin does, and leaves as little behind, however it ends.
func TestUpOnRealParts(t *testing.T) {
	p := newPlace(t).machine()
	zedbox(t)
	r := p.up("--host", "linux")
	if code := r.wait(); code != 0 || !r.sum.OK || r.sum.TPM != "swtpm" || r.sum.BootID == "" ||
		r.sum.AnsweredS < r.sum.DownloadedS || r.sum.DownloadedS < r.sum.OnboardedS {
		t.Fatalf("exit %d, %+v, %s", code, r.sum, r.errs.String())
	}
	if r.sum.Hyper != "qemu-tcg" && r.sum.Hyper != "qemu-kvm" {
		t.Errorf("guests are %s", r.sum.Hyper)
	}
	r = p.up("--host", "linux", "--until", "running")
	r.await("web is BOOTING")
	r.signal(syscall.SIGTERM)
	if code := r.wait(); code != 1 || r.sum.OK {
		t.Errorf("exit %d, %+v, %s", code, r.sum, r.errs.String())
	}
	if r := p.up("--host", "linux", "--devices", "2"); r.wait() != 2 {
		t.Error("two devices of real parts are not refused")
	}
}
