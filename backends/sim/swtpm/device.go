package swtpm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/lab"
)

// Limits of swtpm's life. It answers 5 to 12 ms after its start and ends as fast.
const (
	startLimit   = 10 * time.Second
	startPause   = 2 * time.Millisecond
	stopLimit    = 5 * time.Second
	restartPause = 50 * time.Millisecond
	restartMost  = 20 // in a row, each within restartCalm of the one before
	restartCalm  = 10 * time.Second
)

// Options of Open and Serve.
type Options struct {
	// Dir holds the TPM's state. It is made if need be. One swtpm at a time may use it.
	Dir string
	// SocketDir takes the socket; its path must be short.
	SocketDir string
	// Name is the socket's name, and stands in errors; empty means "tpm".
	Name string
	// Program is swtpm; empty means the one that is installed.
	Program string
}

func (o Options) complete() (Options, error) {
	if o.Name == "" {
		o.Name = "tpm"
	}
	if o.Program == "" {
		program, err := lab.Find("swtpm")
		if err != nil {
			return o, err
		}
		o.Program = program
	}
	return o, os.MkdirAll(o.Dir, 0o700)
}

// TPM is a device's software TPM: linux/tpm's methods, and the process behind them.
type TPM struct {
	*tpm.TPM

	opts    Options
	socket  string
	cancel  context.CancelFunc
	running sync.WaitGroup
	stopped chan struct{}

	mu      sync.Mutex
	process *child.Process
	starts  int
	asked   bool // for the end of the process
}

// Open starts a software TPM and opens it. It returns when the TPM has answered; the TPM then
// lives until Close, whatever becomes of ctx.
func Open(ctx context.Context, opts Options) (*TPM, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, fmt.Errorf("open software TPM: %w", err)
	}
	t := &TPM{opts: opts, socket: filepath.Join(opts.SocketDir, opts.Name+".sock"),
		stopped: make(chan struct{})}
	process, err := t.start()
	if err != nil {
		return nil, err
	}
	if err := awaitSocket(ctx, t.socket, process); err != nil {
		_ = process.Kill()
		return nil, err
	}
	t.TPM, err = tpm.Open(t.socket)
	if err != nil {
		_ = process.Kill()
		return nil, err
	}
	var life context.Context
	life, t.cancel = context.WithCancel(context.Background())
	t.running.Go(func() { t.supervise(life, process) })
	return t, nil
}

// start runs swtpm on the state.
func (t *TPM) start() (*child.Process, error) {
	// A socket that a killed swtpm left behind would keep the next from listening.
	if err := os.Remove(t.socket); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("start software TPM: %w", err)
	}
	process, err := child.Start(child.Options{
		Name: "swtpm " + t.opts.Name, Path: t.opts.Program,
		Args: []string{"socket", "--tpm2", "--tpmstate", "dir=" + t.opts.Dir + ",mode=0600",
			"--server", "type=unixio,path=" + t.socket + ",mode=0600",
			"--flags", "not-need-init,startup-clear"},
	})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.process = process
	t.starts++
	return process, nil
}

// supervise starts swtpm again when it ends before Close, and gives up on one that ends again and
// again.
func (t *TPM) supervise(life context.Context, process *child.Process) {
	defer close(t.stopped)
	last, failures := time.Now(), 0
	for failures < restartMost {
		select {
		case <-life.Done():
			return
		case <-process.Done():
		}
		select {
		case <-life.Done():
			return
		case <-time.After(restartPause):
		}
		if time.Since(last) > restartCalm {
			failures = 0
		}
		last = time.Now()
		if !t.wasAsked() {
			failures++
		}
		next, err := t.start()
		if err == nil {
			process = next
		}
	}
}

// wasAsked reports, once, whether the process was asked to end.
func (t *TPM) wasAsked() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.asked
	t.asked = false
	return was
}

// Done returns a channel that is closed when swtpm runs no more: after Close, or when it cannot
// be started again.
func (t *TPM) Done() <-chan struct{} { return t.stopped }

// PID returns the process id of swtpm as it is now.
func (t *TPM) PID() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.process.PID()
}

// Starts returns how often swtpm was started.
func (t *TPM) Starts() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.starts
}

// Reset has the TPM feel a reset of its device: registers begin anew, what is stored stays. It
// returns when swtpm has answered again.
func (t *TPM) Reset(ctx context.Context) error {
	t.mu.Lock()
	process, starts := t.process, t.starts
	t.asked = true
	t.mu.Unlock()
	if err := process.Kill(); err != nil {
		return fmt.Errorf("reset software TPM: %w", err)
	}
	for t.Starts() == starts {
		select {
		case <-ctx.Done():
			return fmt.Errorf("reset software TPM: %w", ctx.Err())
		case <-t.stopped:
			return errors.New("reset software TPM: it runs no more")
		case <-time.After(startPause):
		}
	}
	if _, err := t.Within(ctx).Properties(); err != nil {
		return fmt.Errorf("reset software TPM: %w", err)
	}
	return nil
}

// Close ends swtpm. Its state stays.
func (t *TPM) Close() error {
	t.cancel()
	t.running.Wait()
	err := t.TPM.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if stopErr := t.process.Stop(stopLimit); err == nil {
		err = stopErr
	}
	_ = os.Remove(t.socket)
	return err
}

// awaitSocket waits until swtpm listens.
func awaitSocket(ctx context.Context, path string, process *child.Process) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		conn, err := net.Dial("unix", path)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-process.Done():
			if err := process.Err(); err != nil {
				return err
			}
			return fmt.Errorf("swtpm ended at once: %s", process.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("wait for swtpm: %w", ctx.Err())
		case <-time.After(startPause):
		}
	}
}
