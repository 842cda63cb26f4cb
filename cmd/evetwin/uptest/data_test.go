package uptest_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestSecondStartIsTheSameDevice starts a device, and starts it again with what it kept.
func TestSecondStartIsTheSameDevice(t *testing.T) {
	t.Parallel()
	p, data := newPlace(t).real(), t.TempDir()
	first := p.up("--data", data)
	if code := first.wait(); code != 0 {
		t.Fatalf("exit %d, %+v, %s", code, first.sum, first.errs.String())
	}
	second := p.up("--data", data, "--until", "forever")
	second.await("running;")
	third := p.up("--data", data)
	if code := third.wait(); code != 1 || !strings.Contains(third.sum.Error, "another process") {
		t.Errorf("a folder in use: exit %d, %+v", code, third.sum)
	}
	second.stop()
	a, b := first.sum, second.sum
	if a.UUID == "" || a.UUID != b.UUID {
		t.Errorf("device %s is device %s the second time", a.UUID, b.UUID)
	}
	if a.DownloadedS == 0 || b.DownloadedS != 0 || b.AnsweredS == 0 || a.BootID == b.BootID {
		t.Errorf("first %+v, then %+v", a, b)
	}
	if len(second.seen) >= len(first.seen) {
		t.Errorf("%d steps, then %d: %v", len(first.seen), len(second.seen), second.seen)
	}
	if left, _ := filepath.Glob(filepath.Join(data, "admin.token")); len(left) > 0 {
		t.Errorf("the token of a run that has ended is still there: %v", left)
	}
}

// TestKilledRunKeepsTheDevice kills a run; the folder is as after a power cut.
func TestKilledRunKeepsTheDevice(t *testing.T) {
	t.Parallel()
	p, data := newPlace(t), t.TempDir()
	args := []string{"--data", data, "--hyper", "model", "--tpm", "model"}
	first := p.up(append(args, "--until", "forever")...)
	first.await("running;")
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.wait()
	second := p.up(args...)
	if code := second.wait(); code != 0 || !second.sum.OK {
		t.Fatalf("exit %d, %+v, %s", code, second.sum, second.errs.String())
	}
	if uuid := first.onboarded(); uuid == "" || uuid != second.sum.UUID {
		t.Errorf("device %s is device %s the second time", uuid, second.sum.UUID)
	}
	other := p.up("--data", data, "--hyper", "model", "--tpm", "model", "--devices", "2")
	if code := other.wait(); code != 0 || other.sum.UUID != second.sum.UUID {
		t.Errorf("with another device beside it: exit %d, %+v", code, other.sum)
	}
}
