package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/linux/zedbox/ipc"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/linux"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// idle is what the processes of a device take that has nothing to do: onboarded, its application
// running, EVE's intervals.
type idle struct {
	// RSS is the resident memory of all processes, where what they share counts once.
	RSS float64 `json:"rss_mib"`
	// CPU is their share of one core in percent.
	CPU       float64 `json:"cpu_percent"`
	Agents    int     `json:"agents"`
	Processes int     `json:"processes"`
	Onboarded bool    `json:"onboarded"`
	// Binary is the size of the program in MB, StartMS how long it takes to begin and end, at best.
	Binary  float64 `json:"binary_mb"`
	StartMS float64 `json:"start_ms"`
	// Programs is the resident memory of the programs that parts run: libvirtd and dnsmasq, not the
	// guest.
	Programs float64 `json:"programs_mib"`
	// Models says that the parts of the device are models, whose work counts.
	Models bool `json:"models"`
	measured
}

// idleRun is a measurement.
type idleRun struct {
	program string
	split   bool
	models  bool
	settle  time.Duration
	span    time.Duration
	root    string
}

func benchIdleCommand() *cobra.Command {
	var r idleRun
	var where string
	c := &cobra.Command{Use: "idle", Args: cli.Usage(cobra.NoArgs),
		Short: "What zedbox takes as a device that has nothing to do",
		RunE: func(c *cobra.Command, _ []string) error {
			if where != "linux" {
				return cli.Refuse(fmt.Errorf("--host %s: only linux is measured", where))
			}
			began := time.Now()
			x, err := r.measure(c.Context())
			if err != nil {
				return fmt.Errorf("measure an idle device: %w", err)
			}
			x.measured = done(began)
			result(c, x, "%d agents in %d processes: %.1f MiB, %.2f %% of a core; program %.1f MB, "+
				"starts in %.1f ms", x.Agents, x.Processes, x.RSS, x.CPU, x.Binary, x.StartMS)
			return nil
		}}
	c.Flags().StringVar(&where, "host", "linux", "where the device runs")
	c.Flags().StringVar(&r.program, "program", "", "zedbox (default: beside this program)")
	c.Flags().BoolVar(&r.models, "models", false, "models of parts, which need no root")
	c.Flags().BoolVar(&r.split, "split", false, "a process per agent")
	c.Flags().DurationVar(&r.span, "for", 2*time.Minute, "how long")
	c.Flags().DurationVar(&r.settle, "settle", 20*time.Second, "how long before")
	return c
}

// measure starts a device and looks at it.
func (r *idleRun) measure(ctx context.Context) (x idle, err error) {
	if r.program == "" {
		if r.program, err = zedboxBeside(); err != nil {
			return x, err
		}
	}
	f, err := os.Stat(r.program)
	if err != nil {
		return x, fmt.Errorf("%w; \"make build\" makes it", err)
	}
	x.Binary = float64(f.Size()) / 1e6
	if x.StartMS, err = r.starts(); err != nil {
		return x, err
	}
	if r.models {
		err = r.modelled(ctx, &x)
	} else {
		err = r.real(ctx, &x)
	}
	return x, err
}

// real measures a device of real parts in a lab of namespaces.
func (r *idleRun) real(ctx context.Context, x *idle) (err error) {
	h, err := linux.New(ctx, linux.Options{Program: r.program, Whole: !r.split,
		Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if err := h.Publish("web", "1"); err != nil {
		return err
	}
	if _, err := h.Device(twin.DeviceOptions{Name: first}); err != nil {
		return err
	}
	draft := twin.DemoDraft(first).Item("timer.config.interval", fmt.Sprint(interval))
	if err := h.Configure(draft); err != nil {
		return err
	}
	if err := h.Start(); err != nil {
		return err
	}
	r.root = h.Root()
	if err := r.observe(ctx, x); err != nil {
		return err
	}
	for _, pid := range h.Programs() {
		mem, err := proportional(pid)
		if err != nil {
			return err
		}
		x.Programs += mem
	}
	return nil
}

// modelled measures a device of models.
func (r *idleRun) modelled(ctx context.Context, x *idle) (err error) {
	x.Models = true
	if r.root, err = os.MkdirTemp("", "idle"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.root)) }()
	data := filepath.Join(r.root, "controller")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	l, err := twin.NewLive(ctx, twin.LiveOptions{Dir: data, Hyper: twin.Model, Tpm: twin.Model,
		DeviceOptions: twin.DeviceOptions{Name: first, Seed: 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := l.PublishDemo(ctx, "web", "1"); err != nil {
		return err
	}
	cfg, err := twin.DemoDraft(first).Item("timer.config.interval", fmt.Sprint(interval)).Build()
	if err != nil {
		return err
	}
	if _, err := l.SetConfig(first, cfg); err != nil {
		return err
	}
	outside, err := l.WriteRoot(r.root, first, 1)
	if err != nil {
		return err
	}
	return r.device(ctx, outside, x)
}

// starts is how long the program takes to begin and end, in milliseconds, the best of ten.
func (r *idleRun) starts() (ms float64, err error) {
	var best time.Duration
	for range 10 {
		began := time.Now()
		if err := exec.Command(r.program, "version").Run(); err != nil {
			return 0, err
		}
		if took := time.Since(began); best == 0 || took < best {
			best = took
		}
	}
	return float64(best) / float64(time.Millisecond), nil
}

// device runs the device and measures once it runs its application.
func (r *idleRun) device(ctx context.Context, outside string, x *idle) error {
	command := "all"
	if r.split {
		command = zedbox.Steps
	}
	p, err := child.Start(child.Options{Name: "zedbox", Path: r.program,
		Args: []string{command, "--root", r.root, "--outside", outside}})
	if err != nil {
		return err
	}
	err = r.observe(ctx, x)
	if err != nil && p.Err() != nil {
		err = p.Err()
	}
	return errors.Join(err, p.Stop(20*time.Second))
}

func (r *idleRun) observe(ctx context.Context, x *idle) error {
	if err := wait(ctx, r.root, "zedclient", "OnboardingStatus",
		func(o *node.OnboardingStatus) bool { return o.DeviceUUID != "" }); err != nil {
		return err
	}
	x.Onboarded = true
	if err := wait(ctx, r.root, "zedmanager", "AppInstanceStatus",
		func(a *app.AppInstanceStatus) bool { return a.State == entity.RUNNING }); err != nil {
		return err
	}
	if err := stay(ctx, r.settle); err != nil {
		return err
	}
	s, err := zedbox.ReadStatus(zedbox.Root(r.root))
	if err != nil {
		return err
	}
	before, pids, err := spent(s)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := stay(ctx, r.span); err != nil {
		return err
	}
	after, _, err := spent(s)
	if err != nil {
		return err
	}
	x.CPU = 100 * float64(after-before) / float64(time.Since(began))
	x.Agents, x.Processes = len(s.Agents), len(pids)
	for _, pid := range pids {
		mem, err := proportional(pid)
		if err != nil {
			return err
		}
		x.RSS += mem
	}
	return nil
}

// wait waits until a row is as it should be, a minute at most.
func wait[V any](ctx context.Context, root, agent, topic string, good func(*V) bool) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	found := false
	err := ipc.ErrAway // the topic is there when its agent has said what it publishes
	for errors.Is(err, ipc.ErrAway) {
		if e := stay(ctx, 50*time.Millisecond); e != nil {
			return fmt.Errorf("wait for %s/%s: %w", agent, topic, e)
		}
		err = ipc.Follow(ctx, zedbox.Root(root).Run(), ipc.Topic{Agent: agent, Name: topic},
			func(e ipc.Event) error {
				var v V
				if e.Op == ipc.Update && json.Unmarshal(e.Row, &v) == nil && good(&v) {
					found = true
					return io.EOF
				}
				return nil
			})
	}
	if !found {
		return fmt.Errorf("wait for %s/%s: %w", agent, topic, errors.Join(err, ctx.Err()))
	}
	return nil
}

func stay(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
