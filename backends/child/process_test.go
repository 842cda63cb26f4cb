package child_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/child"
)

// TestMain lets the test binary play the parent that is killed, and checks that nothing is left.
func TestMain(m *testing.M) {
	if os.Getenv("EVETWIN_CHILD_PARENT") != "" {
		p, err := child.Start(child.Options{Name: "sleeper", Path: "sleep", Args: []string{"600"}})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		<-p.Done()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func TestChildEndsAndTellsWhy(t *testing.T) {
	p, err := child.Start(child.Options{Name: "sh x", Path: "sh",
		Args: []string{"-c", "echo first >&2; echo second >&2; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	want := "sh x: exit status 3: first; second"
	if got := fmt.Sprint(p.Err()); got != want {
		t.Errorf("error is %q, want %q", got, want)
	}
}

func TestMissingProgram(t *testing.T) {
	_, err := child.Start(child.Options{Name: "nothing", Path: "evetwin-no-such-program"})
	if err == nil || !child.Missing(err) {
		t.Fatalf("got %v, want an error that says the program is missing", err)
	}
}

func TestStopKillsWhoIgnoresTerm(t *testing.T) {
	ready := make(chan struct{}, 1)
	p, err := child.Start(child.Options{Name: "deaf", Path: "sh",
		Args:   []string{"-c", "trap '' TERM; echo ready >&2; while :; do sleep 1; done"},
		Stderr: notify(ready)})
	if err != nil {
		t.Fatal(err)
	}
	<-ready
	if err := p.Stop(50 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v, want death by signal", err)
	}
}

// notify tells of the first write.
type notify chan struct{}

func (n notify) Write(p []byte) (int, error) {
	select {
	case n <- struct{}{}:
	default:
	}
	return len(p), nil
}

// TestChildDiesWithParent kills a parent with SIGKILL, so that no handler of ours can run, and
// waits on the grandchild's process descriptor.
func TestChildDiesWithParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "EVETWIN_CHILD_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("parent said %q", line)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("child %d is not there: %v", pid, err)
	}
	defer unix.Close(fd)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5000)
	if err != nil || n != 1 {
		_ = unix.Kill(pid, unix.SIGKILL)
		t.Fatalf("child %d outlives its parent (poll: %d, %v)", pid, n, err)
	}
}
