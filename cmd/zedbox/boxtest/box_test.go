package boxtest_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

// running waits until the application runs and returns its domain.
func (b *box) running() *hyper.DomainSeen {
	b.t.Helper()
	row(b, "zedmanager", "AppInstanceStatus", "the application runs",
		func(a *app.AppInstanceStatus) bool { return a.State == entity.RUNNING })
	return row(b, "hyper", "DomainSeen", "the domain runs", func(d *hyper.DomainSeen) bool {
		return d.State == hyper.Running
	})
}

// Each agent is a process; the device onboards and runs its application. Whoever of them is killed
// is started again, and the guest goes on as it was. At the end nobody and nothing is left.
func TestAgentsAsProcesses(t *testing.T) {
	b, tapes := newBox(t), t.TempDir()
	b.start("device-steps", "--record", tapes)
	b.line("device-steps", "all agents are ready")
	before := b.running()
	b.looks()
	for _, e := range roster.Agents() {
		kill(t, b.pid(e.Name))
		b.line("device-steps", e.Name, "ended", "killed")
		b.line("device-steps", `"`+e.Name+`"`, "is ready")
		if after := b.running(); after.ID != before.ID || !after.BootedAt.Equal(before.BootedAt) {
			t.Fatalf("after the end of %s: domain %d of %v was %d of %v", e.Name, after.ID, after.BootedAt,
				before.ID, before.BootedAt)
		}
	}
	for _, p := range b.status().Agents {
		if p.Restarts != 1 || p.State != "running" {
			t.Errorf("%+v", p)
		}
	}
	// They do what they did: a restart by the controller is a new boot of the same domain.
	b.config(b.draft.RestartApp("web"))
	row(b, "hyper", "DomainSeen", "the application is restarted", func(d *hyper.DomainSeen) bool {
		return d.State == hyper.Running && d.BootedAt.After(before.BootedAt)
	})
	b.stop()
	if left := b.left(); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "\n"))
	}
	replays(t, tapes)
}

// pid is the process of an agent.
func (b *box) pid(agent string) int {
	b.t.Helper()
	for _, p := range b.status().Agents {
		if p.Name == agent {
			return p.PID
		}
	}
	b.t.Fatalf("no agent %s", agent)
	return 0
}

// looks has the tools look at a device that runs.
func (b *box) looks() {
	b.t.Helper()
	s := b.status()
	if len(s.Agents) != len(roster.Agents()) || s.Hub.State != "running" || s.Hub.PID == 0 {
		b.t.Errorf("%+v", s)
	}
	for _, p := range s.Parts {
		if p.Kind != "model" || p.Why == "" {
			b.t.Errorf("%+v", p)
		}
	}
	out, _, code := b.zedbox("status")
	if code != 0 || !hasAll(out, []string{"zedmanager", "hyper", "model"}) {
		b.t.Errorf("status says %q", out)
	}
	b.monitors()
	for _, again := range []string{"device-steps", "hub", "nim", "all"} {
		if _, errs, code := b.zedbox(again); code != 1 || !strings.Contains(errs, "it is running") {
			b.t.Errorf("a second %s: %d, %q", again, code, errs)
		}
	}
	report, err := os.ReadFile(filepath.Join(b.run(), "diag.out"))
	if err != nil || !strings.Contains(string(report), "PASS: addresses 10.80.0.") {
		b.t.Errorf("diag says %q, %v", report, err)
	}
}

// monitors has ipcmonitor tell of a topic; it goes on until it is told to end.
func (b *box) monitors() {
	b.t.Helper()
	for _, asJSON := range []bool{false, true} {
		args := []string{"ipcmonitor", "--root", b.root, "-f", "AppInstanceStatus", "--agent",
			"zedmanager"}
		if asJSON {
			args = append(args, "--json")
		}
		c := exec.Command(program, args...)
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			b.t.Fatal(err)
		}
		text := make([]byte, 1<<16)
		n, err := out.Read(text)
		if err != nil {
			b.t.Errorf("ipcmonitor says nothing: %v", err)
		}
		if e := c.Process.Signal(os.Interrupt); e != nil {
			b.t.Error(e)
		}
		if e := c.Wait(); e != nil {
			b.t.Errorf("ipcmonitor ended with %v", e)
		}
		first, _, _ := strings.Cut(string(text[:n]), "\n")
		var e struct {
			Agent, Topic, Op, Key string
			Row                   app.AppInstanceStatus
		}
		switch {
		case !asJSON && !strings.Contains(first, "zedmanager/AppInstanceStatus update "):
			b.t.Errorf("ipcmonitor says %q", first)
		case asJSON:
			err := json.Unmarshal([]byte(first), &e)
			if err != nil || e.Agent != "zedmanager" || e.Key == "" || e.Row.State != entity.RUNNING {
				b.t.Errorf("ipcmonitor says %q: %v", first, err)
			}
		}
	}
	if _, errs, code := b.zedbox("ipcmonitor", "-f", "NoSuchTopic"); code != 1 || errs == "" {
		b.t.Errorf("a topic that is not there: %d, %q", code, errs)
	}
}

// A hub that is killed takes the machine of models with it, as a power cut does: the agents notice,
// and the same device boots again and does what it did.
func TestKilledHubIsABoot(t *testing.T) {
	b := newBox(t)
	b.start("device-steps")
	b.line("device-steps", "all agents are ready")
	before := b.running()
	who := row(b, "zedclient", "OnboardingStatus", "it is onboarded",
		func(s *node.OnboardingStatus) bool { return s.DeviceUUID != "" })
	kill(t, b.status().Hub.PID)
	b.line("device-steps", "zedbox", "ended", "killed")
	for range roster.Agents() {
		b.line("device-steps", "ended", "the device has booted since")
	}
	row(b, "hyper", "DomainSeen", "the domain runs again", func(d *hyper.DomainSeen) bool {
		return d.State == hyper.Running && d.BootedAt.After(before.BootedAt)
	})
	b.running()
	row(b, "zedclient", "OnboardingStatus", "it is the same device",
		func(s *node.OnboardingStatus) bool { return s.DeviceUUID == who.DeviceUUID })
	b.stop()
	if left := b.left(); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "\n"))
	}
}

// Nobody outlives a supervisor that is killed; status says so, and what it left behind does not
// hold up the next one, which runs the same device.
func TestKilledSupervisorReturns(t *testing.T) {
	b := newBox(t)
	b.start("device-steps")
	who := row(b, "zedclient", "OnboardingStatus", "it is onboarded",
		func(s *node.OnboardingStatus) bool { return s.DeviceUUID != "" })
	b.line("device-steps", "all agents are ready")
	kill(t, b.cmd.Process.Pid)
	for range b.lines { // until the last process has gone
	}
	if err := b.cmd.Wait(); err == nil {
		t.Error("it was not killed")
	}
	out, errs, code := b.zedbox("status")
	if code != 1 || !strings.Contains(out, "lost") || !strings.Contains(errs, "has died") {
		t.Errorf("status of a dead device: %d, %q, %q", code, out, errs)
	}
	b.start("device-steps")
	b.line("device-steps", "all agents are ready")
	row(b, "zedclient", "OnboardingStatus", "it is the same device",
		func(s *node.OnboardingStatus) bool { return s.DeviceUUID == who.DeviceUUID })
	b.stop()
	if left := b.left(); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "\n"))
	}
}

// The same device in one process, which ends as quietly.
func TestAllInOneProcess(t *testing.T) {
	b := newBox(t)
	b.start("all")
	row(b, "zedclient", "OnboardingStatus", "it is onboarded",
		func(s *node.OnboardingStatus) bool { return s.DeviceUUID != "" })
	s := b.status()
	if s.PID != b.cmd.Process.Pid || len(s.Agents) != len(roster.Agents()) {
		t.Errorf("%+v", s)
	}
	b.stop()
	if left := b.left(); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "\n"))
	}
}

// A link that is no agent's, and tools where nothing runs.
func TestNamesAndNothing(t *testing.T) {
	b := &box{t: t, root: t.TempDir()}
	link := filepath.Join(b.root, "nosuchagent")
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(link, "--root", b.root).CombinedOutput()
	if code := exitCode(err); code != 1 || !strings.Contains(string(out), "nosuchagent") {
		t.Errorf("%d, %q", code, out)
	}
	for _, x := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"status"}, 1, "no device runs in " + b.root},
		{[]string{"ipcmonitor"}, 1, "no topic"},
		{[]string{"nim", "further"}, 2, "further"},
		{[]string{"hub", "--outside", "/nowhere"}, 2, "/nowhere"},
	} {
		if _, errs, code := b.zedbox(x.args...); code != x.code || !strings.Contains(errs, x.says) {
			t.Errorf("%v: %d, %q", x.args, code, errs)
		}
	}
}

func exitCode(err error) int {
	if x, ok := errors.AsType[*exec.ExitError](err); ok {
		return x.ExitCode()
	}
	return 0
}
