package hub_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/linux/hub/join"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// The test binary is hub and agents too: it runs itself with a role.
func TestMain(m *testing.M) {
	if role := os.Getenv("EVETWIN_HUB_ROLE"); role != "" {
		if err := play(role, os.Getenv("EVETWIN_HUB_DIR")); err != nil {
			fmt.Println("error " + err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// play is a process: the hub, or the agent of a name.
func play(role, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	commands := make(chan string, 10_000)
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			commands <- in.Text()
		}
		stop() // the test has gone
	}()
	out := bufio.NewWriter(os.Stdout)
	say := func(format string, args ...any) {
		fmt.Fprintf(out, format+"\n", args...)
		out.Flush()
	}
	onLine := func(from string, _ time.Duration, l agent.Line) {
		say("line %s %s %s", from, l.About, strings.ReplaceAll(l.Text, "\n", " | "))
	}
	if role == "hub" {
		h, err := hub.New(hub.Options{Name: "edge", Socket: filepath.Join(dir, "s"),
			Dir:    filepath.Join(dir, "j"),
			Agents: roster(nil, nil), Hardware: &box{}, OnLine: onLine,
			Patience: time.Second})
		if err != nil {
			return err
		}
		say("ready")
		return h.Run(ctx)
	}
	list := roster(commands, say)
	for _, e := range list {
		if e.Name != strings.TrimSuffix(role, "-new") {
			continue
		}
		if e.Name != role {
			e.New = newer(e.New)
		}
		return join.Run(ctx, join.Options{Socket: filepath.Join(dir, "s"), Agents: []agent.Entry{e},
			OnLine: onLine, OnBoot: func(*host.Kernel) { say("ready") }, Limits: unlimited})
	}
	return fmt.Errorf("no role %s", role)
}

var unlimited = host.Limits{TurnsPerInstant: 1 << 30, TurnsPerMinute: 1 << 30, PutsPerMinute: -1,
	DurablePerHour: -1}

// process is one of those processes.
type process struct {
	t     *testing.T
	role  string
	cmd   *exec.Cmd
	in    interface{ Write([]byte) (int, error) }
	lines chan string
	gone  chan struct{}
}

// start runs the test binary in a role and waits until it is ready.
func start(t *testing.T, dir, role string) *process {
	t.Helper()
	p := launch(t, dir, role)
	p.await("ready")
	return p
}

// device starts a hub and both agents, in a folder of their own.
func device(t *testing.T) (dir string, h, a, b *process) {
	t.Helper()
	dir = short(t)
	h = start(t, dir, "hub")
	return dir, h, start(t, dir, "a"), start(t, dir, "b")
}

func launch(t *testing.T, dir, role string) *process {
	t.Helper()
	p := &process{t: t, role: role, lines: make(chan string, 100_000), gone: make(chan struct{})}
	p.cmd = exec.Command("/proc/self/exe")
	p.cmd.Env = append(os.Environ(), "EVETWIN_HUB_ROLE="+role, "EVETWIN_HUB_DIR="+dir,
		"GOMAXPROCS=2")
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.in = in
	go func() {
		defer close(p.gone)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
		close(p.lines)
		p.cmd.Wait() // it was killed
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process at once, as SIGKILL does, and waits until it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill() // it may be gone
	<-p.gone
}

func (p *process) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// tell gives the process a command.
func (p *process) tell(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		p.t.Fatalf("tell %s: %v", p.role, err)
	}
}

// tells gives the process commands, one after the other.
func (p *process) tells(commands ...string) {
	p.t.Helper()
	for _, c := range commands {
		p.tell("%s", c)
	}
}

// patience is how long a test waits for a line.
const patience = 20 * time.Second

// next is the next line of the process.
func (p *process) next() (string, bool) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case l, ok := <-p.lines:
		return l, ok
	case <-limit.C:
		return "nothing came", false
	}
}

// await reads lines until one begins so, and returns it and what was before.
func (p *process) await(prefix string) (line string, before []string) {
	p.t.Helper()
	for {
		l, ok := p.next()
		if !ok {
			p.t.Fatalf("%s: no line %q after %s", p.role, prefix, strings.Join(tail(before, 20), "\n"))
		}
		if strings.HasPrefix(l, prefix) {
			return l, before
		}
		before = append(before, l)
	}
}

func tail(list []string, n int) []string { return list[max(0, len(list)-n):] }

// short is a folder whose path leaves room for a socket's name.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hub")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// note is a row of the tests.
type note struct {
	Name   string
	Text   string
	Big    uint64
	Signed int64
}

// Key is the name.
func (n note) Key() string { return n.Name }

// richNote is the note of a later program: a field more, and one that became something else.
type richNote struct {
	Name   string
	Text   string
	Big    uint64
	Signed int64
	Tags   []string
}

// Key is the name.
func (n richNote) Key() string { return n.Name }

var (
	notes  = bus.NewTopic[note](bus.Decl{Owner: "a", Name: "Note", MaxRows: 20_000})
	twins  = bus.NewTopic[note](bus.Decl{Owner: "a", Name: "Twin", MaxRows: 20_000})
	deeds  = bus.NewTopic[note](bus.Decl{Owner: "a", Name: "Deed", Life: bus.Persistent})
	acks   = bus.NewTopic[note](bus.Decl{Owner: "b", Name: "Ack"})
	things = bus.NewTopic[note](bus.Decl{Owner: "box", Name: "Thing"})
	work   = agent.NewOp[note, note](agent.OpDecl{Name: "box.Work", Width: 8})
	count  = agent.NewOp[note, note](agent.OpDecl{Name: "box.Count", Query: true})
)
