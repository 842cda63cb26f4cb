package uptest_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestInterruptedAtAnyMoment ends runs when they have come to a step, by each signal that ends
// programs; newPlace looks for what is left.
func TestInterruptedAtAnyMoment(t *testing.T) {
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	for i, step := range []string{"controller listens", "registry serves", "device boots",
		"onboarded as", "content web is DOWNLOADING", "web is INSTALLED", "web is BOOTING",
		"web is RUNNING"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			r := newPlace(t).real().up("--until", "running")
			r.await(step)
			r.signal(signals[i%len(signals)])
			if code := r.wait(); code != 1 || r.sum.OK || r.sum.Error == "" {
				t.Errorf("exit %d, %+v, %s", code, r.sum, r.errs.String())
			}
		})
	}
}

// TestInterruptedAtOnce ends a run in the middle of nowhere.
func TestInterruptedAtOnce(t *testing.T) {
	t.Parallel()
	r := newPlace(t).up()
	r.signal(syscall.SIGINT)
	if code := r.wait(); code == 0 {
		t.Errorf("exit %d, %+v", code, r.sum)
	}
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t).real()
	a, b := p.up(), p.up("--until", "forever")
	if code := a.wait(); code != 0 || !a.sum.OK {
		t.Fatalf("exit %d, %+v, %s", code, a.sum, a.errs.String())
	}
	b.await("running;")
	b.stop()
	if a.sum.UUID == b.sum.UUID || a.sum.URL == b.sum.URL || a.sum.BootID == b.sum.BootID ||
		a.sum.BootID == "" || a.sum.AdminURL == b.sum.AdminURL {
		t.Errorf("two runs share something: %+v %+v", a.sum, b.sum)
	}
	if a.sum.Hyper == "model" || a.sum.TPM != "swtpm" || a.sum.AnsweredS == 0 {
		t.Errorf("not real: %+v", a.sum)
	}
}

// TestKilledParentLeavesNoProcess kills a run, and has the next one clean up after it.
func TestKilledParentLeavesNoProcess(t *testing.T) {
	t.Parallel()
	p := newPlace(t).real()
	r := p.up("--until", "forever")
	r.await("web is RUNNING")
	var children []unix.PollFd
	for _, name := range []string{"qemu", "swtpm"} {
		for _, pid := range p.processes(name) {
			fd, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			children = append(children, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
	}
	if len(children) != 2 {
		t.Fatalf("%d processes for one guest and one TPM", len(children))
	}
	r.signal(syscall.SIGKILL)
	r.wait()
	for i := range children {
		if n, err := unix.Poll(children[i:i+1], 5000); n != 1 {
			t.Errorf("a child outlives its parent: %v", err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(p.base, "state", "evetwin", "up-*"))
	if len(left) != 1 {
		t.Fatalf("a killed run left %v, which is to be swept", left)
	}
	next := p.up("--until", "onboarded")
	if code := next.wait(); code != 0 {
		t.Errorf("exit %d, %+v", code, next.sum)
	}
}

// TestReaderGone closes the pipe that a run writes to.
func TestReaderGone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := &run{t: t, ended: make(chan error, 1)}
	x.cmd = p.command("--until", "forever", "--hyper", "model", "--tpm", "model")
	x.cmd.Stdout = w
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := bufio.NewReader(r).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	r.Close()
	go func() { x.ended <- x.cmd.Wait() }()
	x.end()
	if code := x.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit %d", code)
	}
}

// TestWithoutPrograms runs where nothing is installed.
func TestWithoutPrograms(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.env = append(p.env, "PATH="+filepath.Join(p.base, "nothing"))
	r := p.up("--until", "running")
	if code := r.wait(); code != 0 || !r.sum.OK || r.sum.Hyper != "model" || r.sum.TPM != "model" ||
		r.sum.URL != "" || len(r.sum.Notes) != 2 {
		t.Errorf("exit %d, %+v, %s", code, r.sum, r.errs.String())
	}
}

func TestSeveralDevices(t *testing.T) {
	t.Parallel()
	r := newPlace(t).up("--devices", "5", "--hyper", "model", "--tpm", "model", "--until", "running")
	code := r.wait()
	onboarded := map[string]bool{}
	for _, s := range r.seen {
		if name, uuid, ok := strings.Cut(s, " is onboarded as "); ok {
			onboarded[name], onboarded[uuid] = true, true
		}
	}
	if code != 0 || !r.sum.OK || r.sum.Devices != 5 || len(onboarded) != 10 {
		t.Errorf("exit %d, %+v, %v", code, r.sum, onboarded)
	}
}
