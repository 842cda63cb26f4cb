package libvirtd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"

	"github.com/evetwin/evetwin/backends/child"
)

// DefaultProgram is the daemon.
const DefaultProgram = "/usr/sbin/libvirtd"

// Limits.
const (
	// startLimit is how long a daemon may take to answer; the first one on an empty cache looks at
	// all emulators of the machine.
	startLimit = 60 * time.Second
	// dialPause is how long one that does not listen yet is left alone.
	dialPause = 20 * time.Millisecond
	// dialLimit is how long a dial may take.
	dialLimit = 10 * time.Second
	// termLimit is how long it may take to end.
	termLimit = 5 * time.Second
)

// Options of Start.
type Options struct {
	// Dir has what a reboot of the machine is to forget: definitions of domains, states, logs and
	// sockets. It is made if need be; its path must be short, as sockets' paths are.
	Dir string
	// Cache keeps what the daemon found out about the emulators of the machine.
	Cache string
	// Program is the daemon; empty means DefaultProgram.
	Program string
	// Interrupted says, by a domain's description, that its start was under way when an earlier
	// daemon ended: what is left of that start is ended before this daemon looks. May be nil.
	Interrupted func(description string) bool
	// Space is the network namespace, by its name, that guests' interfaces are in; empty: ours.
	Space string
}

// socket is where the daemon listens.
func (o Options) socket() string { return filepath.Join(o.Dir, "run", "libvirt-sock") }

// Daemon is a daemon that runs.
type Daemon struct {
	o       Options
	process *child.Process
}

// Start starts the daemon and returns when it answers. Of guests that an earlier one on the same
// folders left running it knows by then.
func Start(ctx context.Context, o Options) (*Daemon, error) {
	if o.Program == "" {
		o.Program = DefaultProgram
	}
	if err := prepare(o); err != nil {
		return nil, fmt.Errorf("prepare libvirtd's folders: %w", err)
	}
	if err := endInterrupted(o); err != nil {
		return nil, fmt.Errorf("clear up behind libvirtd: %w", err)
	}
	c := child.Options{Name: "libvirtd", Path: "unshare", Args: []string{"--mount",
		"--propagation", "slave", "sh", "-c", script, "libvirtd", o.Dir, o.Cache, o.Program}}
	if o.Space != "" {
		// The program ip would take the machine's mounts of sysfs away from the daemon.
		c.Args = append([]string{"--net=/run/netns/" + o.Space, c.Path}, c.Args...)
		c.Path = "nsenter"
	}
	p, err := child.Start(c)
	if err != nil {
		return nil, err
	}
	d := &Daemon{o: o, process: p}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	// A daemon that is connected to and says nothing would be waited for without end.
	unless := context.AfterFunc(ctx, func() { _ = p.Kill() })
	err = d.answers(ctx)
	if !unless() {
		err = fmt.Errorf("start libvirtd: %w", errors.Join(ctx.Err(), err))
	}
	if err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
}

// answers waits until a connection succeeds.
func (d *Daemon) answers(ctx context.Context) error {
	for {
		l, err := d.Dial(libvirt.QEMUSystem)
		if err == nil {
			return l.Disconnect()
		}
		select {
		case <-d.process.Done():
			return fmt.Errorf("start libvirtd: it ended: %s", d.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("start libvirtd: %w", errors.Join(ctx.Err(), err))
		case <-time.After(dialPause):
		}
	}
}

// lastWords are those of a daemon that ended: of its errors, or of its log.
func (d *Daemon) lastWords() string {
	words := d.process.LastWords()
	text, err := os.ReadFile(filepath.Join(d.o.Dir, "log", logFile))
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); err == nil {
		words += " " + lines[len(lines)-1]
	}
	return words
}

// Dial connects to one of the daemon's drivers, libvirt.QEMUSystem or another. The connection ends
// with the daemon.
func (d *Daemon) Dial(uri libvirt.ConnectURI) (*libvirt.Libvirt, error) {
	l := libvirt.NewWithDialer(dialers.NewLocal(dialers.WithSocket(d.o.socket()),
		dialers.WithLocalTimeout(dialLimit)))
	if err := l.ConnectToURI(uri); err != nil {
		return nil, fmt.Errorf("connect to libvirtd: %w", err)
	}
	return l, nil
}

// PID is the daemon's process.
func (d *Daemon) PID() int { return d.process.PID() }

// Done is closed when the daemon has ended.
func (d *Daemon) Done() <-chan struct{} { return d.process.Done() }

// Err is how it ended; nil while it runs and when it ended in order.
func (d *Daemon) Err() error { return d.process.Err() }

// Stop ends the daemon, and none of its guests.
func (d *Daemon) Stop() error { return d.process.Stop(termLimit) }
