package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/scenarios/twin"
)

type upFlags struct {
	until, data, hyper, tpm string
	model, network, config  string
	json, plain             bool
	allowWrite              bool
	limit                   time.Duration
}

// Goals of --until, in order.
var goals = []string{"onboarded", "running", "settled", "forever"}

func upCommand() *cobra.Command {
	var f upFlags
	c := &cobra.Command{Use: "up", Args: usage(cobra.NoArgs),
		Short: "Boot a device in real time and bring it to a running application",
		RunE:  func(c *cobra.Command, _ []string) error { return up(c, f) }}
	c.Flags().StringVar(&f.until, "until", "",
		"onboarded, running, settled or forever (default: forever on a terminal, else running)")
	c.Flags().StringVar(&f.data, "data", "",
		"folder that keeps the device's state (default: none is kept)")
	c.Flags().StringVar(&f.model, "model", "", "device model (JSON)")
	c.Flags().StringVar(&f.network, "network", "", "network model (JSON)")
	c.Flags().StringVar(&f.config, "config", "", "device configuration (JSON)")
	c.Flags().StringVar(&f.hyper, "hyper", "", "qemu or model (default: QEMU where it works)")
	c.Flags().StringVar(&f.tpm, "tpm", "", "swtpm or model (default: swtpm where it is installed)")
	c.Flags().BoolVar(&f.json, "json", false, "one object per line on stdout")
	c.Flags().BoolVar(&f.plain, "plain", false, "a line per step also on a terminal")
	c.Flags().BoolVar(&f.allowWrite, "allow-write", false, "let the terminal UI act on the device")
	c.Flags().DurationVar(&f.limit, "limit", 5*time.Minute, "how long to wait for the goal")
	return c
}

// summary is the last line of "up"; its keys are the contract.
type summary struct {
	OK          bool    `json:"ok"`
	Error       string  `json:"error,omitempty"`
	OnboardedS  float64 `json:"onboarded_s"`
	DownloadedS float64 `json:"downloaded_s"`
	AnsweredS   float64 `json:"answered_s"`
	URL         string  `json:"url"`
	Hyper       string  `json:"hyper"`
	TPM         string  `json:"tpm"`
	BootID      string  `json:"boot_id,omitempty"`
	UptimeS     float64 `json:"uptime_s,omitempty"`
}

func up(c *cobra.Command, f upFlags) error {
	terminal := isTerminal(os.Stdout) && isTerminal(os.Stdin) && !f.json && !f.plain
	if f.until == "" {
		f.until = "running"
		if terminal {
			f.until = "forever"
		}
	}
	if rank(f.until) < 0 {
		return refused{fmt.Errorf("--until %s: one of onboarded, running, settled, forever", f.until)}
	}
	in, err := readInputs(f)
	if err != nil {
		return refused{err}
	}
	dir, clean, err := runDir(f.data)
	if err != nil {
		return err
	}
	defer clean()
	s := newSteps(c.ErrOrStderr(), c.OutOrStdout(), f.json, terminal)
	u := &upRun{flags: f, in: in, dir: dir, steps: s, terminal: terminal}
	sum, err := u.run(c.Context())
	if err != nil {
		sum.OK, sum.Error = false, err.Error()
	}
	u.finish(c.OutOrStdout(), sum)
	if errors.Is(err, context.Canceled) && f.until == "forever" {
		return nil
	}
	if err != nil {
		return err
	}
	return nil
}

func rank(goal string) int {
	for i, g := range goals {
		if g == goal {
			return i
		}
	}
	return -1
}

// runDir is the folder of a run: the user's, or one of its own that is removed at the end.
func runDir(data string) (dir string, clean func(), err error) {
	if data != "" {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return "", nil, fmt.Errorf("make %s: %w", data, err)
		}
		return data, func() {}, nil
	}
	state := lab.DefaultDirs().State
	if err := os.MkdirAll(state, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the state folder: %w", err)
	}
	dir = filepath.Join(state, "up-"+strconv.Itoa(os.Getpid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the state folder: %w", err)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// finish prints the summary.
func (u *upRun) finish(out io.Writer, s summary) {
	if u.flags.json {
		line(out, s)
		return
	}
	if !s.OK || u.terminal {
		return
	}
	fmt.Fprintf(out, "\n  onboarded after %5.1f s   TPM: %s\n", s.OnboardedS, s.TPM)
	if s.DownloadedS > 0 {
		fmt.Fprintf(out, "  downloaded after %4.1f s   guests: %s\n", s.DownloadedS, s.Hyper)
	}
	if s.AnsweredS > 0 {
		fmt.Fprintf(out, "  answered after %6.1f s   %s\n", s.AnsweredS, s.URL)
		fmt.Fprintf(out, "  guest kernel boot id %s, up %.1f s\n", s.BootID, s.UptimeS)
	}
	for _, n := range u.notes {
		fmt.Fprintf(out, "  note: %s\n", n)
	}
}

// isTerminal reports whether a file is one.
func isTerminal(f *os.File) bool {
	i, err := f.Stat()
	return err == nil && i.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != ""
}

// options are the twin's.
func (u *upRun) options() twin.LiveOptions {
	return twin.LiveOptions{Dir: u.dir, Cache: lab.Cache{Dir: lab.DefaultDirs().Cache},
		Hyper: u.flags.hyper, Tpm: u.flags.tpm, OnForward: u.forward,
		DeviceOptions: twin.DeviceOptions{Name: "edge", Seed: uint64(time.Now().UnixNano()),
			Model: u.in.world, OnTurn: u.turn, OnLine: u.logLine}}
}
