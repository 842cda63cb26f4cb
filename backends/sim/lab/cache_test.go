package lab_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/evetwin/evetwin/backends/sim/lab"
)

// fillWith returns a filler that counts its runs.
func fillWith(text string, runs *int) func(context.Context, string) error {
	return func(_ context.Context, dir string) error {
		*runs++
		return os.WriteFile(filepath.Join(dir, "thing"), []byte(text), 0o644)
	}
}

func TestCacheMakesAnEntryOnce(t *testing.T) {
	cache, runs := lab.Cache{Dir: filepath.Join(t.TempDir(), "new")}, 0
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := cache.Entry(context.Background(), "e", fillWith("x", &runs)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if runs != 1 {
		t.Errorf("the entry was made %d times", runs)
	}
}

func TestCacheMakesADamagedEntryAgain(t *testing.T) {
	cache, runs := lab.Cache{Dir: t.TempDir()}, 0
	dir, err := cache.Entry(context.Background(), "e", fillWith("good", &runs))
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"evil", "goo", ""} {
		if err := os.WriteFile(filepath.Join(dir, "thing"), []byte(damage), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := cache.Entry(context.Background(), "e", fillWith("good", &runs)); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(filepath.Join(dir, "thing")); string(text) != "good" {
			t.Errorf("after damage %q the entry holds %q", damage, text)
		}
	}
	if runs != 4 {
		t.Errorf("the entry was made %d times, want 4", runs)
	}
}

func TestCacheKeepsNothingOfAFailure(t *testing.T) {
	cache, runs := lab.Cache{Dir: t.TempDir()}, 0
	broken := errors.New("no space left")
	_, err := cache.Entry(context.Background(), "e", func(_ context.Context, dir string) error {
		_ = os.WriteFile(filepath.Join(dir, "half"), []byte("x"), 0o644)
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(cache.Dir, "*"))
	if len(left) != 1 || filepath.Base(left[0]) != ".e.lock" {
		t.Errorf("left behind: %v, want the lock only", left)
	}
	if _, err := cache.Entry(context.Background(), "e", fillWith("x", &runs)); err != nil {
		t.Error(err)
	}
}

func TestCacheWaitEndsWithContext(t *testing.T) {
	cache := lab.Cache{Dir: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := cache.Entry(context.Background(), "e", func(_ context.Context, dir string) error {
		cancel()
		_, err := cache.Entry(ctx, "e", nil) // held by ourselves
		if !errors.Is(err, context.Canceled) {
			t.Errorf("waiter got %v", err)
		}
		return os.WriteFile(filepath.Join(dir, "thing"), nil, 0o644)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSocketDirIsShortAndGoes(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(t.TempDir(), strings.Repeat("long", 20)))
	dir, err := lab.NewSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir.Path, strings.Repeat("n", 48))
	if len(name) > lab.SocketPathLength {
		t.Errorf("a socket's path would have %d bytes: %s", len(name), name)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder is still there: %v", err)
	}
}

// TestSocketDirsOfTheKilledAreSwept has one owner that lives and one that was killed: its lock
// is held by a process that has ended.
func TestSocketDirsOfTheKilledAreSwept(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", base)
	alive, err := lab.NewSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = alive.Close() }()
	dead := filepath.Join(base, "evetwin-dead")
	if err := os.MkdirAll(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("flock", filepath.Join(dead, "owner"), "true").Run(); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(base, "evetwin-no-owner")
	if err := os.MkdirAll(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	lab.SweepSocketDirs(base)
	for dir, want := range map[string]bool{alive.Path: true, dead: false, foreign: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", dir, err == nil, want)
		}
	}
}
