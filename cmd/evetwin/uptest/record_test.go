package uptest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// replayed is what "evetwin replay" says of a recording.
type replayed struct {
	OK    bool
	Turns uint64
	Torn  bool
	First *struct{ Agent, What string } `json:"first_diff"`
}

// replay replays a recording with the program, without anything that was real.
func replay(t *testing.T, file string) (r replayed) {
	t.Helper()
	cmd := exec.Command(program, "replay", file, "--json")
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=/nowhere"}
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestARecordingOfRealPartsReplaysWithoutThem records a device with QEMU and swtpm, and one that is
// kept over a second start, and replays what the agents decided without either.
func TestARecordingOfRealPartsReplaysWithoutThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := newPlace(t).real()
	for _, name := range []string{"first", "second"} {
		file := filepath.Join(dir, name)
		r := p.up("--until", "running", "--record", file, "--data", filepath.Join(dir, "data"))
		if code := r.wait(); code != 0 || !r.sum.OK || r.sum.Hyper == "model" || r.sum.TPM != "swtpm" {
			t.Fatalf("exit %d, %+v, %s", code, r.sum, r.errs.String())
		}
		if x := replay(t, file); !x.OK || x.First != nil || x.Torn || x.Turns < 100 {
			t.Errorf("%s: %+v", name, x)
		}
		if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, i.Mode(), err)
		}
	}
}

// TestARecordingOfAKilledProgramIsWholeUpToASecond kills a device of models and replays what there
// is of its recording.
func TestARecordingOfAKilledProgramIsWholeUpToASecond(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "recording")
	p := newPlace(t)
	r := p.up("--until", "forever", "--hyper", "model", "--tpm", "model", "--record", file)
	r.await("web is RUNNING")
	r.signal(syscall.SIGKILL)
	r.wait()
	if x := replay(t, file); !x.OK || x.First != nil {
		t.Errorf("%+v", x)
	}
	if next := p.up("--until", "onboarded", "--hyper", "model", "--tpm", "model"); next.wait() != 0 {
		t.Errorf("%+v", next.sum) // and it has swept what the killed one left
	}
}

// TestARecordingOfModelsReplays records a device of models until it has settled.
func TestARecordingOfModelsReplays(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "recording")
	r := newPlace(t).up("--until", "settled", "--hyper", "model", "--tpm", "model", "--record", file)
	if code := r.wait(); code != 0 || !r.sum.OK {
		t.Fatalf("exit %d, %+v, %s", code, r.sum, r.errs.String())
	}
	if x := replay(t, file); !x.OK || x.First != nil || x.Torn || x.Turns < 100 {
		t.Errorf("%+v", x)
	}
}

// TestRecordedRunsReplayWithoutADifference records over a hundred runs, in virtual time, in real
// time with models and with QEMU and swtpm, and replays each: what "make replays" prints.
func TestRecordedRunsReplayWithoutADifference(t *testing.T) {
	p := newPlace(t).real()
	cmd := exec.Command(program, "bench", "replays", "--json")
	cmd.Env = p.env
	text, err := cmd.Output()
	var r struct {
		OK                                bool
		Runs, Virtual, Live, QEMU, Differ int
		Turns                             uint64
	}
	if e := json.Unmarshal(text, &r); e != nil || err != nil {
		t.Fatalf("%v, %v: %s", err, e, text)
	}
	if !r.OK || r.Differ != 0 || r.Virtual < 100 || r.Live != 3 || r.QEMU != 1 || r.Turns < 100_000 ||
		r.Runs != r.Virtual+r.Live+r.QEMU {
		t.Errorf("%+v", r)
	}
}
