package zedbox

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is the device's program too: its name says which process it is.
func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); filepath.Base(filepath.Dir(os.Args[0])) == "bin" {
		os.Exit(play(name, Root(os.Args[len(os.Args)-1])))
	}
	goleak.VerifyTestMain(m)
}

// play is a process whose loop turns once. "sick" ends at once, "deaf" does not when it is told.
func play(name string, r Root) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pid, err := Hold(r, name)
	if err != nil || name == "sick" {
		return 1
	}
	pulse := NewPulse(r, name)
	loop := make(chan func(), 1)
	pulse.Join(func(f func()) { loop <- f })
	(<-loop)()
	if name == "deaf" {
		ctx = context.Background()
	}
	<-ctx.Done()
	if errors.Join(pulse.Close(), pid.Release()) != nil {
		return 1
	}
	return 0
}

// bench is a supervisor that runs.
type bench struct {
	t     *testing.T
	root  Root
	lines chan string
	ended chan error
	stop  func() error
}

func newBench(t *testing.T, change func(o *Options), agents ...string) *bench {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, root: Root(t.TempDir()), lines: make(chan string, 1000)}
	o := Options{Root: b.root, Program: program, Args: []string{string(b.root)}, Agents: agents,
		Log: io.Discard, Unwatched: []string{"diag"},
		OnLine: func(about, text string) { b.lines <- about + " " + text }}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.ended = make(chan error, 1)
	go func() { b.ended <- New(o).Run(ctx) }()
	b.stop = func() error { cancel(); return <-b.ended }
	t.Cleanup(func() { cancel() })
	return b
}

// await reads lines until one has a text.
func (b *bench) await(text string) {
	b.t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for {
		select {
		case l := <-b.lines:
			if strings.Contains(l, text) {
				return
			}
		case <-limit.C:
			b.t.Fatalf("no line has %q", text)
		}
	}
}

func (b *bench) status() *Status {
	b.t.Helper()
	s, err := ReadStatus(b.root)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// files are what lies in run but folders.
func (b *bench) files() (out []string) {
	b.t.Helper()
	err := filepath.WalkDir(b.root.Run(), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, strings.TrimPrefix(path, b.root.Run()+"/"))
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// A device comes up in order, has EVE's files while it lives, and leaves none of them.
func TestDeviceComesUpAndGoes(t *testing.T) {
	b := newBench(t, nil, "nim", "diag")
	b.await("zedbox process")
	b.await("all agents are ready")
	s := b.status()
	if s.PID != os.Getpid() || s.Hub.State != Running || len(s.Agents) != 2 {
		t.Errorf("%+v", s)
	}
	for _, p := range append(s.Agents, s.Hub) {
		if pid, err := Alive(b.root, p.Name); pid != p.PID || pid == 0 || p.State != Running ||
			err != nil {
			t.Errorf("%+v, process %d, %v", p, pid, err)
		}
	}
	have := b.files()
	for _, want := range []string{"nim.pid", "nim.touch", "zedbox.touch", "watchdog/file/nim.touch",
		"watchdog/pid/nim.pid", "watchdog/pid/zedbox.pid"} {
		if !slices.Contains(have, want) {
			t.Errorf("no file %s", want)
		}
	}
	if slices.Contains(have, "watchdog/pid/diag.pid") {
		t.Error("a watchdog looks at diag")
	}
	if err := New(Options{Root: b.root}).Run(t.Context()); !errors.Is(err, ErrAlive) {
		t.Errorf("a second supervisor: %v", err)
	}
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	if left := b.files(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, p := range append(s.Agents, s.Hub) {
		if err := syscall.Kill(p.PID, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s is left behind: %v", p.Name, err)
		}
	}
}

// A process that is killed is started again, and nobody else is.
func TestKilledProcessReturns(t *testing.T) {
	b := newBench(t, nil, "nim", "zedagent")
	b.await("all agents are ready")
	for n, name := range []string{"nim", Hub} {
		before := b.status()
		pid, err := Alive(b.root, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		b.await(name + " ended: " + name + ": signal: killed")
		b.await(name + " process")
		s := b.status()
		if again, _ := Alive(b.root, name); again == pid || again == 0 {
			t.Errorf("%s was process %d and is %d", name, pid, again)
		}
		if s.Agents[0].Restarts != 1 || s.Hub.Restarts != n || s.Agents[1] != before.Agents[1] {
			t.Errorf("%+v", s)
		}
	}
	if err := b.stop(); err != nil {
		t.Error(err)
	}
}

// A process that never lives waits longer each time; it does not hold up the end.
func TestSickProcessWaits(t *testing.T) {
	b := newBench(t, nil, "sick")
	b.await("begins again in 50ms")
	b.await("begins again in 100ms")
	b.await("begins again in 200ms")
	if s := b.status(); s.Agents[0].Restarts < 2 || !strings.Contains(s.Agents[0].Reason, "status 1") {
		t.Errorf("%+v", s.Agents[0])
	}
	if err := b.stop(); err != nil {
		t.Error(err)
	}
}

// buffer takes what several processes write.
type buffer struct {
	mu sync.Mutex
	strings.Builder
}

// Write adds to it.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

// A loop that does not turn costs its process, which writes its stacks; one that does not hear is
// killed.
func TestSilentAndDeafProcesses(t *testing.T) {
	var log buffer
	b := newBench(t, func(o *Options) {
		o.Silence, o.Grace, o.Log = 2*time.Second, 50*time.Millisecond, &log
	}, "deaf")
	b.await("all agents are ready")
	b.await("deaf has said nothing for 2s")
	b.await("deaf ended: silent for 2s")
	b.await("deaf process")
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "goroutine") {
		t.Errorf("no stacks in %q", log.String())
	}
}

// A hub that ends by itself has powered the device off.
func TestPowerOffEndsAll(t *testing.T) {
	b := newBench(t, nil, "nim")
	b.await("all agents are ready")
	s := b.status()
	if err := syscall.Kill(s.Hub.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-b.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the device goes on")
	}
}
