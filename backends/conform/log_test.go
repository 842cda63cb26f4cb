package conform_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/spool"
	"github.com/evetwin/evetwin/backends/sim/boot"
)

// together is how long lines come together here.
const together = 200 * time.Millisecond

func TestModelLogConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.Log(t, model, func(*testing.T) conform.LogSetup {
		s := &boot.Spool{Limits: conform.LogLimits(), Every: together}
		return conform.LogSetup{Setup: conform.Setup{Part: s}, Line: s.Line, Console: s.Console,
			Flush: s.Flush, Files: s.Files, Place: s.Place,
			Lose: func(name string) {
				if name != "" {
					s.Lose(name)
					return
				}
				for n := range s.Files() { //order: all go
					s.Lose(n)
				}
			},
			Late: func(d time.Duration) { s.Late += d }, Full: func(full bool) { s.Full = full }}
	})
}

// small is a disk of a few MiB, in memory.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("log", dir, "tmpfs", 0, "size=4m,mode=700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestLinuxLogConforms(t *testing.T) {
	conform.Log(t, realPart("linux"), func(t *testing.T) conform.LogSetup {
		r := &logRig{t: t, root: small(t)}
		r.dir = filepath.Join(r.root, spool.Dir)
		part := spool.New(spool.Options{Root: r.root, Limits: conform.LogLimits(),
			Every: together,
			Now:   func() time.Time { return time.Now().Add(time.Duration(r.late.Load())) },
			OnError: func(err error) {
				if !errors.Is(err, unix.ENOSPC) {
					t.Error(err)
				}
			}})
		t.Cleanup(part.Close)
		return conform.LogSetup{Setup: conform.Setup{Part: part, Cut: part.Close}, Line: part.Line,
			Console: part.Console, Flush: part.Flush, Files: r.files, Place: r.place, Lose: r.lose,
			Late: func(d time.Duration) { r.late.Add(int64(d)) }, Full: r.full}
	})
}

// logRig is what happens to the folder of a part log.
type logRig struct {
	t         *testing.T
	root, dir string
	late      atomic.Int64
}

func (r *logRig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Error(err)
	}
}

// files reads the folder; one that goes meanwhile is not there.
func (r *logRig) files() map[string]string {
	out := map[string]string{}
	all, err := os.ReadDir(r.dir)
	r.must(err)
	for _, e := range all {
		text, err := os.ReadFile(filepath.Join(r.dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		r.must(err)
		out[e.Name()] = string(text)
	}
	return out
}

func (r *logRig) place(name, text string) {
	f, err := os.OpenFile(filepath.Join(r.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	r.must(err)
	_, err = f.WriteString(text)
	r.must(errors.Join(err, f.Close()))
}

func (r *logRig) lose(name string) {
	if name == "" {
		r.must(os.RemoveAll(r.dir))
		return
	}
	r.must(os.Remove(filepath.Join(r.dir, name)))
}

// full fills the disk, or makes space again.
func (r *logRig) full(full bool) {
	ballast := filepath.Join(r.root, "ballast")
	if !full {
		r.must(os.Remove(ballast))
		return
	}
	err := os.WriteFile(ballast, []byte(strings.Repeat("x", 8<<20)), 0o600)
	if !errors.Is(err, unix.ENOSPC) {
		r.t.Errorf("the disk takes 8 MiB: %v", err)
	}
}
