package boxtest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/linux/zedbox/ipc"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// program is the built zedbox.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "zedbox")
	if err == nil {
		program = filepath.Join(dir, "zedbox")
		var out []byte
		out, err = exec.Command("go", "build", "-o", program, "github.com/evetwin/evetwin/cmd/zedbox").
			CombinedOutput()
		if err != nil {
			err = fmt.Errorf("build zedbox: %w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// patience is how long anything may take that is waited for.
const patience = 45 * time.Second

// name is the device's.
const name = "edge"

// box is a device whose processes are real and whose parts are models, with its controller.
type box struct {
	t    *testing.T
	root string
	// outside is the file that says what is outside of the device.
	outside string

	cmd   *exec.Cmd
	lines chan string
	live  *twin.Live // never started: its controller and registry
	draft *fleet.Draft
}

// newBox makes the outside and the folders of a device that does the bundled application; it is
// off.
func newBox(t *testing.T) *box {
	t.Helper()
	root, err := os.MkdirTemp("/tmp", "zb") // short, for the paths of sockets
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, root: root}
	t.Cleanup(func() { os.RemoveAll(root) })
	l, err := twin.NewLive(t.Context(), twin.LiveOptions{Dir: t.TempDir(), Hyper: twin.Model,
		Tpm: twin.Model, DeviceOptions: twin.DeviceOptions{Name: name, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := l.PublishDemo(t.Context(), "web", "1"); err != nil {
		t.Fatal(err)
	}
	b.live, b.draft = l, twin.DemoDraft(name)
	b.config(b.draft)
	if b.outside, err = l.WriteRoot(root, name, 1); err != nil {
		t.Fatal(err)
	}
	return b
}

// config has the controller give the device a configuration.
func (b *box) config(d *fleet.Draft) {
	b.t.Helper()
	cfg, err := d.Build()
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.live.SetConfig(name, cfg); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) run() string { return filepath.Join(b.root, "run") }

// start starts the device by a command of zedbox.
func (b *box) start(command string, flags ...string) {
	b.t.Helper()
	args := append([]string{command, "--root", b.root, "--outside", b.outside}, flags...)
	b.cmd = exec.Command(program, args...)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := b.cmd.StderrPipe()
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	lines := make(chan string, 100_000)
	b.lines = lines
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			lines <- s.Text()
		}
	}()
	b.t.Cleanup(func() {
		if b.cmd.ProcessState == nil {
			b.cmd.Process.Kill()
			b.cmd.Wait()
		}
	})
}

// stop ends the device with manners.
func (b *box) stop() {
	b.t.Helper()
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.t.Fatal(err)
	}
	for l := range b.lines { // the pipe ends with the last process
		if strings.Contains(l, "gave up") {
			b.t.Error(l)
		}
	}
	if err := b.cmd.Wait(); err != nil {
		b.t.Errorf("it stopped with %v", err)
	}
}

// line waits for a line of the log with all of some texts.
func (b *box) line(texts ...string) {
	b.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	var last []string
	for {
		select {
		case l, ok := <-b.lines:
			if !ok {
				b.t.Fatalf("the device ended: %s", strings.Join(last, "\n"))
			}
			last = append(last, l)[max(0, len(last)-20):]
			if hasAll(l, texts) {
				return
			}
		case <-limit.C:
			b.t.Fatalf("no line has %q: %s", texts, strings.Join(last, "\n"))
		}
	}
}

func hasAll(s string, texts []string) bool {
	for _, t := range texts {
		if !strings.Contains(s, t) {
			return false
		}
	}
	return true
}

// row waits until a row of a topic is as it should be, and returns it.
func row[V any](b *box, agent, topic, what string, good func(v *V) bool) *V {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.t.Context(), patience)
	defer stop()
	var found *V
	var last []byte
	tell := func(e ipc.Event) error {
		var v V
		if e.Op != ipc.Update {
			return nil
		}
		last = e.Row
		if err := json.Unmarshal(e.Row, &v); err != nil || !good(&v) {
			return err
		}
		found = &v
		return io.EOF
	}
	err := ipc.ErrAway // a topic is there when its agent has said what it publishes
	for errors.Is(err, ipc.ErrAway) && ctx.Err() == nil {
		err = ipc.Follow(ctx, b.run(), ipc.Topic{Agent: agent, Name: topic}, tell)
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	if found == nil {
		b.t.Fatalf("%s: %v, last %s", what, err, last)
	}
	return found
}

// zedbox runs a tool of the program and returns what it says and its exit code.
func (b *box) zedbox(args ...string) (out, errs string, code int) {
	b.t.Helper()
	c := exec.Command(program, append(args, "--root", b.root)...)
	var o, e bytes.Buffer
	c.Stdout, c.Stderr = &o, &e
	if err := c.Run(); err != nil && c.ProcessState == nil {
		b.t.Fatal(err)
	}
	return o.String(), e.String(), c.ProcessState.ExitCode()
}

func (b *box) status() zedbox.Status {
	b.t.Helper()
	out, errs, code := b.zedbox("status", "--json")
	var s zedbox.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != 0 {
		b.t.Fatalf("status: %d, %q, %s: %v", code, out, errs, err)
	}
	return s
}

// left is what the device has left behind: processes, and files that tell of processes.
func (b *box) left() (out []string) {
	b.t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, []byte(b.root)) {
			out = append(out, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	err := filepath.WalkDir(b.run(), func(path string, e fs.DirEntry, err error) error {
		if err == nil && (e.Type()&fs.ModeSocket != 0 || e.Type()&fs.ModeSymlink != 0 ||
			strings.HasSuffix(path, ".pid") || strings.HasSuffix(path, ".touch")) &&
			!strings.HasSuffix(path, "hub.sock") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		b.t.Error(err)
	}
	return out
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill %s: %v", strconv.Itoa(pid), err)
	}
}
