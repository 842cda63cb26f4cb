package vmm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/hyper/vmm"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// folder is one whose guests end with the test.
func folder(t *testing.T) string {
	t.Helper()
	labtest.Program(t, qemu.DefaultProgram)
	dir, err := os.MkdirTemp("/tmp", "vm") // the paths of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g := open(t, vmm.Options{Dir: dir})
		for _, name := range g.Names() {
			if err := errors.Join(g.Kill(name), g.Forget(name)); err != nil {
				t.Error(err)
			}
		}
		left, err := os.ReadDir(dir)
		for _, f := range left {
			t.Errorf("%s is left behind", f.Name())
		}
		if err := errors.Join(err, g.Close(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func open(t *testing.T, o vmm.Options) *vmm.Guests {
	t.Helper()
	if o.OnError == nil {
		o.OnError = func(err error) { t.Error("beside the calls:", err) }
	}
	g, err := vmm.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// shut lets guests go.
func shut(t *testing.T, g *vmm.Guests) {
	t.Helper()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// small is a guest that has nothing to boot from.
func small(name string) qemu.Spec { return qemu.Spec{Name: name, MemoryMiB: 16, NoReboot: true} }

// runs starts a guest.
func runs(t *testing.T, g *vmm.Guests, s qemu.Spec, note string) {
	t.Helper()
	err := errors.Join(g.Define(s, []byte(note)), g.Launch(s.Name))
	is(t, g, s.Name, note, vmm.Paused)
	if err = errors.Join(err, g.Resume(s.Name)); err != nil {
		t.Fatal(err)
	}
	is(t, g, s.Name, note, vmm.Running)
}

func is(t *testing.T, g *vmm.Guests, name, note string, want vmm.State) {
	t.Helper()
	got, state, err := g.Read(name)
	if err != nil || state != want || string(got) != note {
		t.Fatalf("guest %s is %q with note %q (%v), want %q with %q", name, state, got, err, want, note)
	}
}

// comes waits until a guest does something.
func comes(t *testing.T, g *vmm.Guests, name string, want vmm.State) {
	t.Helper()
	limit := time.After(patience)
	for {
		_, state, err := g.Read(name)
		if err == nil && state == want {
			return
		}
		select {
		case <-g.Changed():
			g.Take()
		case <-limit:
			t.Fatalf("guest %s is %q (%v), want %q", name, state, err, want)
		}
	}
}

// pid is the process of a guest, as its file says.
func pid(t *testing.T, dir, name string) int {
	t.Helper()
	var rec struct{ Process struct{ PID int } }
	text, err := os.ReadFile(filepath.Join(dir, name+".domain"))
	if err == nil {
		err = json.Unmarshal(text, &rec)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rec.Process.PID
}

// alive says that a process is there and has not ended.
func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(text, []byte(") Z "))
}

// shell does something at the device's own monitor of a guest.
func shell(t *testing.T, dir, name, command string) {
	t.Helper()
	c, err := net.Dial("unix", filepath.Join(dir, name+".shell"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := qemu.NewClient(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Execute(t.Context(), command, nil, nil); err != nil {
		t.Error(err)
	}
	_ = m.Close()
}

func TestGuestOutlives(t *testing.T) {
	dir := folder(t)
	g := open(t, vmm.Options{Dir: dir})
	runs(t, g, small("one"), "first")
	was := pid(t, dir, "one")
	ours, err := unix.Getsid(0)
	if its, e := unix.Getsid(was); err != nil || e != nil || its == ours {
		t.Errorf("the guest is in session %d (%v), we are in %d (%v)", its, e, ours, err)
	}
	if left := labtest.Offspring(); len(left) > 0 {
		t.Errorf("the guest is a child of ours: %v", left)
	}
	for _, note := range []string{"second", "third"} {
		if err := g.Annotate("one", []byte(note)); err != nil {
			t.Error(err)
		}
		shut(t, g)
		g = open(t, vmm.Options{Dir: dir, Interrupted: func(b []byte) bool { return string(b) != note }})
		is(t, g, "one", note, vmm.Running)
		if err := errors.Join(g.Launch("one"), g.Press("one")); err != nil {
			t.Error(err)
		}
		if now := pid(t, dir, "one"); now != was {
			t.Errorf("process %d became %d", was, now)
		}
	}
	if used, bytes, err := g.Use("one"); used <= 0 || bytes < 1<<20 || err != nil {
		t.Errorf("the guest uses %v and %d bytes (%v)", used, bytes, err)
	}
	for _, err := range []error{g.Forget("one"), g.Define(small("one"), nil)} {
		if err == nil || !strings.Contains(err.Error(), "it runs") {
			t.Errorf("a guest that runs is forgotten or described: %v", err)
		}
	}
	if err := g.Kill("one"); err != nil {
		t.Error(err)
	}
	is(t, g, "one", "third", vmm.Killed)
	if alive(was) {
		t.Errorf("process %d is still there", was)
	}
	shut(t, g)
	g = open(t, vmm.Options{Dir: dir})
	is(t, g, "one", "third", vmm.Killed)
	runs(t, g, small("one"), "again")
	shut(t, g)
}

// TestEnds ends guests in all ways, while they are followed and while nobody follows them.
func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do              func(t *testing.T, dir string)
		seen, unwatched vmm.State
	}{
		"killed": {func(t *testing.T, dir string) {
			if err := unix.Kill(pid(t, dir, "one"), unix.SIGKILL); err != nil {
				t.Error(err)
			}
		}, vmm.Crashed, vmm.Crashed},
		// Without us nobody notes who it was.
		"quit": {func(t *testing.T, dir string) { shell(t, dir, "one", "quit") },
			vmm.Killed, vmm.Crashed},
		"terminated": {func(t *testing.T, dir string) {
			if err := unix.Kill(pid(t, dir, "one"), unix.SIGTERM); err != nil {
				t.Error(err)
			}
		}, vmm.Killed, vmm.Crashed},
		// NoReboot has a guest that resets end, and QEMU waits for us.
		"reset": {func(t *testing.T, dir string) { shell(t, dir, "one", "system_reset") },
			vmm.Killed, vmm.Shutdown},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			g := open(t, vmm.Options{Dir: dir})
			runs(t, g, small("one"), "")
			was := pid(t, dir, "one")
			c.do(t, dir)
			comes(t, g, "one", c.seen)
			if alive(was) {
				t.Errorf("process %d is still there", was)
			}
			runs(t, g, small("one"), "")
			was = pid(t, dir, "one")
			shut(t, g)
			c.do(t, dir)
			if c.unwatched == vmm.Crashed {
				ends(t, was)
			}
			g = open(t, vmm.Options{Dir: dir})
			comes(t, g, "one", c.unwatched)
			shut(t, g)
		})
	}
}

// ends waits until a process has ended.
func ends(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // it has
	}
	defer func() { _ = unix.Close(fd) }()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}},
		int(patience/time.Millisecond))
	if n != 1 {
		t.Fatalf("process %d does not end: %v", pid, err)
	}
}

// TestInterrupted ends what a start has left, and nothing else: not who has its number now.
func TestInterrupted(t *testing.T) {
	dir := folder(t)
	g := open(t, vmm.Options{Dir: dir})
	for _, name := range []string{"half", "whole"} {
		if err := errors.Join(g.Define(small(name), []byte(name)), g.Launch(name)); err != nil {
			t.Fatal(err)
		}
	}
	half, whole := pid(t, dir, "half"), pid(t, dir, "whole")
	shut(t, g)
	// One whose number is by now that of somebody else.
	bystander := os.Getpid()
	text, err := os.ReadFile(filepath.Join(dir, "half.domain"))
	if err == nil {
		text = bytes.ReplaceAll(text, fmt.Append(nil, half), fmt.Append(nil, bystander))
		text = bytes.ReplaceAll(text, []byte(`"Name": "half"`), []byte(`"Name": "late"`))
		err = os.WriteFile(filepath.Join(dir, "late.domain"), text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "half.fresh"), []byte("{"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	g = open(t, vmm.Options{Dir: dir,
		Interrupted: func(note []byte) bool { return string(note) == "half" }})
	is(t, g, "half", "half", vmm.Crashed)
	is(t, g, "late", "half", vmm.Crashed)
	is(t, g, "whole", "whole", vmm.Paused)
	if alive(half) || !alive(whole) {
		t.Errorf("the half started guest lives: %v, the other one: %v", alive(half), alive(whole))
	}
	shut(t, g)
}

// TestNotStarted has QEMU refuse: it says why, and nothing of it is left.
func TestNotStarted(t *testing.T) {
	dir := folder(t)
	g := open(t, vmm.Options{Dir: dir})
	s := small("one")
	s.Disks = []qemu.Disk{{Path: "/nowhere"}}
	if err := g.Define(s, nil); err != nil {
		t.Fatal(err)
	}
	if err := g.Launch("one"); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("a guest without its disk: %v", err)
	}
	is(t, g, "one", "", vmm.Crashed)
	s.Disks, s.Console = nil, qemu.Socket{Path: "/tmp/" + strings.Repeat("x", 103), Listen: true}
	if err := g.Define(s, nil); err != nil {
		t.Fatal(err)
	}
	if err := g.Launch("one"); err == nil || !strings.Contains(err.Error(), "longer than 107") {
		t.Errorf("a socket whose path is too long: %v", err)
	}
	if _, err := vmm.Open(vmm.Options{Dir: dir, Program: "qemu-of-nobody"}); err == nil {
		t.Error("guests run without QEMU")
	}
	for _, err := range []error{g.Launch("none"), g.Kill("none"), g.Resume("none"), g.Press("one"),
		g.Forget("none"), g.Annotate("none", nil)} {
		if !errors.Is(err, vmm.ErrGone) {
			t.Errorf("a guest that is not there: %v", err)
		}
	}
	shut(t, g)
}

// TestRemovedFromOutside removes files of guests: one that is off is gone, one that runs is not.
func TestRemovedFromOutside(t *testing.T) {
	dir := folder(t)
	g := open(t, vmm.Options{Dir: dir})
	runs(t, g, small("on"), "")
	if err := g.Define(small("off"), nil); err != nil {
		t.Fatal(err)
	}
	was := pid(t, dir, "on")
	// The watcher tells of one after the other.
	for _, name := range []string{"on", "off"} {
		if err := os.Remove(filepath.Join(dir, name+".domain")); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for there := true; there; {
		select {
		case <-g.Changed():
			g.Take()
		case <-ctx.Done():
			t.Fatal("nobody notices")
		}
		_, _, err := g.Read("off")
		there = !errors.Is(err, vmm.ErrGone)
	}
	is(t, g, "on", "", vmm.Running)
	shut(t, g)
	g = open(t, vmm.Options{Dir: dir})
	is(t, g, "on", "", vmm.Running)
	if now := pid(t, dir, "on"); now != was {
		t.Errorf("process %d became %d", was, now)
	}
	shut(t, g)
}
