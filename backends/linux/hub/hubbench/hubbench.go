// Package hubbench measures a device whose agents are processes: how long a row takes from its put
// in one process to the step in another that sees it, how long a subscriber that comes late takes
// to have a large table, and how many turns a second become durable.
//
// The hub, the publisher and the subscriber are three processes. The program that measures runs
// itself again for each of them: it calls Play early and ends where Play says that it was one.
package hubbench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Result is what was measured.
type Result struct {
	// P50 and P99 are from a put in one process to the step of a subscriber in another that sees it,
	// by way of the hub; one row of a table of 1,000 at a time.
	P50, P99 time.Duration
	// LateSync is from the moment a process wants to join until its agent's first step has a table of
	// 10,000 rows of 1 KiB.
	LateSync time.Duration
	// Durable is how many turns a second became durable, of Writers agents of one process that put
	// one row in each turn, and each wait for it before the next one. DurableAlone is that of one
	// agent.
	Durable, DurableAlone float64
	// Writers is how many they were.
	Writers int
}

// Options of a measurement.
type Options struct {
	// Dir is where the socket and the journal lie.
	Dir string
	// Puts is how many puts are timed, Turns how many durable turns.
	Puts, Turns int
	// LateRows is the size of the table for a late subscriber; 0 means 10,000.
	LateRows int
}

// environment is how a process learns its role.
const environment = "EVETWIN_HUBBENCH"

// Play is for main: where the process was started by Measure it does its part and reports true.
func Play() (was bool, err error) {
	role := os.Getenv(environment)
	if role == "" {
		return false, nil
	}
	f := strings.Fields(role)
	n, err := strconv.Atoi(f[1])
	if err != nil {
		return true, fmt.Errorf("role %q: %w", role, err)
	}
	return true, play(f[0], n, f[2])
}

// Test runs the tests of a binary that is also what Measure starts, and returns its exit code.
func Test(run func() int) int {
	was, err := Play()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	case was:
		return 0
	}
	return run()
}

// Measure measures all.
func Measure(o Options) (r Result, err error) {
	if o.LateRows == 0 {
		o.LateRows = 10_000
	}
	hub, err := start(o.Dir, "hub", 0)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, hub.end()) }()
	err = o.latency(&r)
	if err == nil {
		err = o.late(&r)
	}
	if err == nil {
		err = o.durable(&r)
	}
	return r, err
}

// latency measures from put to step.
func (o Options) latency(r *Result) error {
	pub, err := start(o.Dir, "talker", tableRows)
	if err != nil {
		return err
	}
	sub, err := start(o.Dir, "listener", o.Puts)
	if err != nil {
		return errors.Join(err, pub.end())
	}
	err = sub.answer(r)
	return errors.Join(err, sub.end(), pub.end())
}

// late measures the sync of a subscriber that comes late.
func (o Options) late(r *Result) error {
	pub, err := start(o.Dir, "filler", o.LateRows)
	if err != nil {
		return err
	}
	for range 2 { // the first one waits until the hub has the table
		var sub *process
		if sub, err = start(o.Dir, "late", o.LateRows); err == nil {
			err = errors.Join(sub.answer(&r.LateSync), sub.end())
		}
		if err != nil {
			break
		}
	}
	return errors.Join(err, pub.end())
}

// durable measures durable turns.
func (o Options) durable(r *Result) error {
	r.Writers = writers
	for _, m := range []struct {
		role string
		to   *float64
	}{{"writer", &r.DurableAlone}, {"writers", &r.Durable}} {
		w, err := start(o.Dir, m.role, o.Turns)
		if err != nil {
			return err
		}
		if err := errors.Join(w.answer(m.to), w.end()); err != nil {
			return err
		}
	}
	return nil
}

// process is one of the three.
type process struct {
	role   string
	cmd    *exec.Cmd
	in     io.Closer
	out    *bufio.Scanner
	stderr bytes.Buffer
}

// start runs the program again in a role and waits until it has begun.
func start(dir, role string, n int) (*process, error) {
	p := &process{role: role, cmd: exec.Command("/proc/self/exe")}
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", environment, role, n,
		filepath.Join(dir, "s")))
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	p.in, p.out = in, bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	var begun bool
	if err := p.answer(&begun); err != nil {
		return nil, errors.Join(err, p.end())
	}
	return p, nil
}

// answer reads a line of the process.
func (p *process) answer(to any) error {
	if !p.out.Scan() {
		return fmt.Errorf("measure with %s: it ended: %s", p.role, p.stderr.String())
	}
	if err := json.Unmarshal(p.out.Bytes(), to); err != nil {
		return fmt.Errorf("measure with %s: %w", p.role, err)
	}
	return nil
}

// end has the process end and waits for it.
func (p *process) end() error {
	p.in.Close()
	for p.out.Scan() {
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("end %s: %w: %s", p.role, err, p.stderr.String())
	}
	return nil
}
