package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/evetwin/evetwin/backends/sim/qemu/guest/boot"
)

// notStarted is the exit code of a payload that could not be started, as shells have it.
const notStarted = 127

// stopSeconds is how long a payload may take to end where the host says nothing.
const stopSeconds = 10

// runPayload runs the image's command to its end and returns its exit code; death by a signal is
// 128 and the signal's number. As the first program, it also buries every orphan.
func runPayload(config boot.Config, pressed <-chan struct{}) (int, error) {
	if len(config.Args) == 0 {
		return notStarted, fmt.Errorf("image has no command")
	}
	dir := config.Dir
	if dir == "" {
		dir = "/"
	}
	for _, pair := range config.Env {
		if path, ok := strings.CutPrefix(pair, "PATH="); ok {
			_ = os.Setenv("PATH", path)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return notStarted, err
	}
	_ = os.Chdir(dir)
	program, err := exec.LookPath(config.Args[0])
	if err != nil {
		return notStarted, err
	}
	attr := &syscall.ProcAttr{
		Dir: dir, Env: config.Env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{
			Setsid: true,
			Credential: &syscall.Credential{
				Uid: config.UID, Gid: config.GID, Groups: config.Groups,
			},
		},
	}
	pid, err := syscall.ForkExec(program, config.Args, attr)
	if err != nil {
		return notStarted, fmt.Errorf("start %s: %w", program, err)
	}
	go stopWhen(pressed, pid, config.StopSeconds)
	return bury(pid), nil
}

// bury waits for all children until the payload has ended.
func bury(payload int) int {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return notStarted
		case pid == payload && status.Signaled():
			return 128 + int(status.Signal())
		case pid == payload && status.Exited():
			return status.ExitStatus()
		}
	}
}

// stopWhen asks the payload to end once the power button was pressed, and kills everything if it
// does not.
func stopWhen(pressed <-chan struct{}, payload, seconds int) {
	<-pressed
	say("power button")
	_ = syscall.Kill(payload, syscall.SIGTERM)
	if seconds <= 0 {
		seconds = stopSeconds
	}
	time.Sleep(time.Duration(seconds) * time.Second)
	say("killing what still runs after %d s", seconds)
	_ = syscall.Kill(-1, syscall.SIGKILL)
}
