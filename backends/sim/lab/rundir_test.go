package lab_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/backends/sim/lab"
)

func runDir(t *testing.T, base string) *lab.RunDir {
	t.Helper()
	d, err := lab.NewRunDir(base, "up")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// TestRunDirsOfTheDeadAreSwept leaves a folder whose lock nobody holds, as a killed process does.
func TestRunDirsOfTheDeadAreSwept(t *testing.T) {
	base := filepath.Join(t.TempDir(), "state")
	alive := runDir(t, base)
	dead, other := filepath.Join(base, "up-1-1"), filepath.Join(base, "controller")
	for _, dir := range []string{dead, other} {
		if err := os.MkdirAll(filepath.Join(dir, "device"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "owner"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next := runDir(t, base)
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of a dead process is still there: %v", err)
	}
	for _, dir := range []string{alive.Path, next.Path, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(alive.Close(), next.Close()); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(base)
	if err != nil || len(left) != 1 {
		t.Errorf("%d folders are left, %v", len(left), err)
	}
}

func TestKeptDirIsForOneAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := lab.KeptDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lab.KeptDir(dir); !errors.Is(err, lab.ErrInUse) {
		t.Errorf("a folder in use: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lab.KeptDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the user's folder is gone: %v", err)
	}
}
