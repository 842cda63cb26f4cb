package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/scenarios/dryrun"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

type upFlags struct {
	inputs           dryrun.Options
	until, data      string
	host, hyper, tpm string
	record           string
	devices          int
	json, plain      bool
	allowWrite       bool
	limit, quiet     time.Duration
}

// Goals of --until, in order.
const (
	untilOnboarded = "onboarded"
	untilRunning   = "running"
	untilSettled   = "settled"
	untilForever   = "forever"
)

// maxDevices bounds --devices.
const maxDevices = 10_000

func upCommand() *cobra.Command {
	var f upFlags
	c := &cobra.Command{Use: "up", Args: cli.Usage(cobra.NoArgs),
		Short: "Boot a device in real time and bring it to a running application",
		RunE:  func(c *cobra.Command, _ []string) error { return up(c, f) }}
	l := c.Flags()
	l.StringVar(&f.until, "until", "",
		"onboarded, running, settled or forever (default: forever on a terminal, else running)")
	l.StringVar(&f.data, "data", "", "folder that keeps the device for the next start (default: none)")
	l.StringVar(&f.inputs.Model, "model", "", "device model, JSON; these five as in \"try\"")
	l.StringVar(&f.inputs.Network, "network", "", "network model, JSON")
	l.StringVar(&f.inputs.Config, "config", "",
		"device configuration, JSON (default: the bundled web application)")
	l.StringVar(&f.inputs.Overrides, "overrides", "", "folder of files for /config")
	l.StringVar(&f.inputs.Bootstrap, "bootstrap", "", "configuration to sign, or none")
	l.IntVar(&f.devices, "devices", 1, "devices of the controller; all but the first are models")
	l.StringVar(&f.host, "host", scenario.Live,
		"live, or linux: real parts in a lab of network namespaces (root)")
	l.StringVar(&f.hyper, "hyper", "", "qemu or model (default: QEMU where it works)")
	l.StringVar(&f.tpm, "tpm", "", "swtpm or model (default: swtpm where it is installed)")
	l.StringVar(&f.record, "record", "", "file that takes every turn of the first device")
	l.BoolVar(&f.json, "json", false, "one object per line on stdout")
	l.BoolVar(&f.plain, "plain", false, "a line per step also on a terminal")
	l.BoolVar(&f.allowWrite, "allow-write", false, "let the terminal UI act on the device")
	l.DurationVar(&f.limit, "limit", 5*time.Minute,
		"how long to wait for the goal; forever has no limit")
	l.DurationVar(&f.quiet, "quiet", 10*time.Second, "settled is who does nothing new for so long")
	return c
}

// check refuses values that mean nothing.
func (f *upFlags) check() error {
	one := func(flag, value string, of ...string) error {
		if slices.Contains(of, value) {
			return nil
		}
		return fmt.Errorf("--%s %s: one of %s", flag, value, strings.Trim(strings.Join(of, ", "), ", "))
	}
	err := errors.Join(
		one("until", f.until, untilOnboarded, untilRunning, untilSettled, untilForever),
		one("hyper", f.hyper, "", "qemu", "model"), one("tpm", f.tpm, "", "swtpm", "model"),
		one("host", f.host, scenario.Live, scenario.Linux), f.checkLinux())
	switch {
	case err != nil:
		return err
	case f.devices < 1 || f.devices > maxDevices:
		return fmt.Errorf("--devices %d: between 1 and %d", f.devices, maxDevices)
	case f.limit <= 0 || f.quiet <= 0:
		return fmt.Errorf("--limit %v --quiet %v: more than nothing", f.limit, f.quiet)
	}
	return nil
}

// given reports whether the device is one of the user's, not the bundled one.
func (f *upFlags) given() bool {
	i := &f.inputs
	return i.Model != "" || i.Network != "" || i.Config != "" || i.Overrides != "" ||
		i.Bootstrap != ""
}

// summary is the last line of "up"; its keys are the contract.
type summary struct {
	OK          bool     `json:"ok"`
	Error       string   `json:"error,omitempty"`
	OnboardedS  float64  `json:"onboarded_s"`
	DownloadedS float64  `json:"downloaded_s"`
	AnsweredS   float64  `json:"answered_s"`
	URL         string   `json:"url"`
	Hyper       string   `json:"hyper"`
	TPM         string   `json:"tpm"`
	UUID        string   `json:"uuid,omitempty"`
	Devices     int      `json:"devices"`
	AdminURL    string   `json:"admin_url,omitempty"`
	TokenFile   string   `json:"token_file,omitempty"`
	BootID      string   `json:"boot_id,omitempty"`
	UptimeS     float64  `json:"uptime_s,omitempty"`
	Models      []model  `json:"model_guests,omitempty"`
	MadeUp      []string `json:"made_up,omitempty"`
	Notes       []string `json:"notes,omitempty"`
	Unknown     []string `json:"unknown_fields,omitempty"`
}

// model is an application whose guest is a model beside QEMU's.
type model struct {
	Application string `json:"application"`
	Why         string `json:"why"`
}

func up(c *cobra.Command, f upFlags) error {
	terminal := isTerminal(os.Stdout) && isTerminal(os.Stdin) && !f.json && !f.plain
	if f.until == "" {
		f.until = untilRunning
		if terminal {
			f.until = untilForever
		}
	}
	if err := f.check(); err != nil {
		return cli.Refuse(err)
	}
	terminal = terminal && f.until == untilForever
	ctx, out, done := unbroken(c.Context(), c.OutOrStdout())
	defer done()
	s := newSteps(c.ErrOrStderr(), out, f.json, terminal)
	u := newUpRun(f, s, terminal)
	sum, err := u.whole(ctx)
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		err = fmt.Errorf("interrupted: %w", err)
	}
	if err != nil {
		sum.OK, sum.Error = false, err.Error()
	}
	switch {
	case f.json:
		line(out, sum)
	case sum.OK && !u.told:
		sum.print(out)
	}
	var no *dryrun.Refusal
	if errors.As(err, &no) {
		return cli.Refuse(errors.New(strings.Join(no.Lines, "\nevetwin: ")))
	}
	return err
}

// whole runs the device in its folder.
func (u *upRun) whole(ctx context.Context) (sum summary, err error) {
	if u.flags.host == scenario.Linux {
		return u.linux(ctx)
	}
	if u.flags.given() {
		if u.in, err = dryrun.Read(u.flags.inputs); err != nil {
			return sum, err
		}
	}
	var dir *lab.RunDir
	if u.flags.data != "" {
		dir, err = lab.KeptDir(u.flags.data)
	} else {
		dir, err = lab.NewRunDir(lab.DefaultDirs().State, "up")
	}
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	u.dir = dir.Path
	return u.run(ctx)
}

// print tells people.
func (s *summary) print(out io.Writer) {
	say := func(format string, args ...any) { fmt.Fprintf(out, "  "+format+"\n", args...) }
	fmt.Fprintln(out)
	say("onboarded after %5.1f s    TPM: %s", s.OnboardedS, s.TPM)
	if s.DownloadedS > 0 {
		say("downloaded after %4.1f s    guests: %s", s.DownloadedS, s.Hyper)
	}
	if s.AnsweredS > 0 {
		say("answered after %6.1f s    %s", s.AnsweredS, s.URL)
		say("guest kernel boot id %s, up %.1f s", s.BootID, s.UptimeS)
	}
	if s.AdminURL != "" {
		say("device %s at the controller's %s", s.UUID, s.AdminURL)
	}
	if s.Devices > 1 {
		say("%d devices; all but the first are models", s.Devices)
	}
	for _, m := range s.Models {
		say("application %s runs in the model: %s", clean(m.Application), m.Why)
	}
	if len(s.MadeUp) > 0 {
		say("made up: %s", clean(strings.Join(s.MadeUp, " ")))
	}
	for _, n := range slices.Concat(s.Notes, prefixed("unknown field ", s.Unknown)) {
		say("note: %s", clean(n))
	}
}

func prefixed(with string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = with + s
	}
	return out
}

// isTerminal reports whether a file is one.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil && os.Getenv("TERM") != ""
}
