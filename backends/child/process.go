package child

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// killWait is how long Stop waits for a child that was sent SIGKILL. Only a child in an
// uninterruptible system call takes longer than a few milliseconds.
const killWait = 5 * time.Second

// Options describe a child to start.
type Options struct {
	// Name is what errors call the child, for example "qemu web-1".
	Name string
	// Path is the program: a path, or a name to be found on PATH.
	Path string
	// Args are the arguments after the program's own name.
	Args []string
	// Dir is the working directory; empty means the parent's.
	Dir string
	// Env replaces the environment; nil means the parent's.
	Env []string
	// Stdin feeds the child; nil means /dev/null.
	Stdin io.Reader
	// Stdout takes the standard output; nil discards it.
	Stdout io.Writer
	// Stderr also takes the standard error; its last lines are kept in any case.
	Stderr io.Writer
	// Files are inherited from descriptor 3 upwards. Start closes none of them.
	Files []*os.File
}

// Process is a running or ended child.
type Process struct {
	name string
	pid  int
	done chan struct{}
	err  error
	tail *tail
}

// Start starts a child and returns as soon as it runs. The child's program must exist; what goes
// wrong after exec is told by Err once Done is closed.
func Start(opts Options) (*Process, error) {
	p := &Process{name: opts.Name, done: make(chan struct{}), tail: &tail{also: opts.Stderr}}
	cmd := exec.Command(opts.Path, opts.Args...)
	cmd.Dir, cmd.Env = opts.Dir, opts.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = opts.Stdin, opts.Stdout, p.tail
	cmd.ExtraFiles = opts.Files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// A grandchild that keeps stderr open must not keep us waiting for ever.
	cmd.WaitDelay = time.Second
	started := make(chan error)
	go p.run(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", opts.Name, err)
	}
	return p, nil
}

// run starts the child and waits for it on one locked OS thread: the parent-death signal is tied
// to the thread that forked, not to the process, and Go ends idle threads as it likes.
func (p *Process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	if err == nil {
		p.pid = cmd.Process.Pid
	}
	started <- err
	if err != nil {
		return
	}
	err = cmd.Wait()
	// Whatever the child left behind in its group must not outlive it.
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	if err != nil {
		p.err = p.explain(err)
	}
	close(p.done)
}

func (p *Process) explain(err error) error {
	if last := p.tail.String(); last != "" {
		return fmt.Errorf("%s: %w: %s", p.name, err, last)
	}
	return fmt.Errorf("%s: %w", p.name, err)
}

// PID returns the child's process id, which is also its process group.
func (p *Process) PID() int { return p.pid }

// Done returns a channel that is closed when the child has ended and was waited for.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err returns nil while the child runs and when it ended with status 0; otherwise how it ended,
// with its last lines of stderr.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// LastWords returns the last lines the child wrote to stderr, as one line.
func (p *Process) LastWords() string { return p.tail.String() }

// Signal sends a signal to the child itself. A child that has ended is not an error.
func (p *Process) Signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := syscall.Kill(p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Kill sends SIGKILL to the child's whole group and waits until the child is gone.
func (p *Process) Kill() error {
	select {
	case <-p.done:
		return nil
	default:
	}
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	select {
	case <-p.done:
		return nil
	case <-time.After(killWait):
		return fmt.Errorf("kill %s: still there %v after SIGKILL", p.name, killWait)
	}
}

// Stop sends SIGTERM, waits as long as grace for the child to end, then kills it. It returns an
// error only when the child could not be ended at all.
func (p *Process) Stop(grace time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
		return p.Kill()
	}
}

// Missing says whether err of Start means that the program is not installed.
func Missing(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist)
}

// oneLine joins lines so that an error stays on one line.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return r == '\n' || r == '\r'
	}), "; ")
}
