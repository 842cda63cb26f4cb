package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/core/trace/perfetto"
	"github.com/evetwin/evetwin/core/trace/replay"
)

type replayFlags struct {
	agent, why, export, out, device string
	at                              time.Duration
	boot                            uint64
	diff, json                      bool
}

func replayCommand() *cobra.Command {
	f := replayFlags{at: -1}
	c := &cobra.Command{Use: "replay FILE", Args: cli.Usage(cobra.ExactArgs(1)),
		Short: "Run the agents from a recording, look at it, ask it why",
		Long: `Run the agents from a recording and name the first turn in which they behave differently.

Without further flags, or with --diff, every agent of this program is given the turns that
were recorded of it. Exit 1: a turn differs. 2: the file is no recording of this version.
--at, --why and --export show what was recorded; times are since the boot of the device.`,
		RunE: func(c *cobra.Command, args []string) error { return replayFile(c, args[0], f) }}
	l := c.Flags()
	l.StringVar(&f.agent, "agent", "", "replay, or with --at show, this agent alone")
	l.DurationVar(&f.at, "at", -1, "show every table at this time since the boot")
	l.StringVar(&f.why, "why", "", "OWNER/TOPIC/KEY: the causes of a row, at --at or at the end")
	l.BoolVar(&f.diff, "diff", false, "replay and name the first turn that differs (the default)")
	l.StringVar(&f.export, "export", "", "perfetto: write a trace for ui.perfetto.dev")
	l.StringVar(&f.out, "out", "", "file that --export writes to (default: stdout)")
	l.StringVar(&f.device, "device", "", "the device, where there are several (default: the first)")
	l.Uint64Var(&f.boot, "boot", 0, "the boot that --at and --why mean (default: the last that fits)")
	l.BoolVar(&f.json, "json", false, "one object per line on stdout")
	return c
}

// check refuses flags that do not go together.
func (f *replayFlags) check(c *cobra.Command) error {
	modes := 0
	for _, on := range []bool{f.diff, f.why != "" || c.Flags().Changed("at"), f.export != ""} {
		if on {
			modes++
		}
	}
	switch {
	case modes > 1:
		return errors.New("--diff, --export, and --at or --why: one of them")
	case c.Flags().Changed("at") && f.at < 0:
		return fmt.Errorf("--at %v: not before the boot", f.at)
	case f.export != "" && f.export != "perfetto":
		return fmt.Errorf("--export %s: perfetto is what there is", f.export)
	case f.out != "" && f.export == "":
		return errors.New("--out goes with --export")
	case f.why != "" && strings.Count(f.why, "/") != 2:
		return fmt.Errorf("--why %s: OWNER/TOPIC/KEY, as in zedmanager/AppInstanceStatus/UUID", f.why)
	case f.agent != "" && !slices.ContainsFunc(roster.Agents(), named(f.agent)):
		return fmt.Errorf("--agent %s: this program has no such agent", f.agent)
	}
	return nil
}

func replayFile(c *cobra.Command, path string, f replayFlags) error {
	if err := f.check(c); err != nil {
		return cli.Refuse(err)
	}
	file, err := os.Open(path)
	if err != nil {
		return cli.Refuse(fmt.Errorf("read the recording: %w", err))
	}
	defer file.Close()
	r, err := trace.NewReader(file)
	if err != nil {
		return cli.Refuse(fmt.Errorf("%s: %w", path, err))
	}
	v := replayView{replayFlags: f, path: path, out: c.OutOrStdout(), errs: c.ErrOrStderr(), r: r}
	switch {
	case f.why != "":
		return v.because()
	case c.Flags().Changed("at"):
		return v.tables()
	case f.export != "":
		return v.perfetto()
	}
	return v.compare()
}

// replayView is a recording that is looked at.
type replayView struct {
	replayFlags
	path      string
	out, errs io.Writer
	r         *trace.Reader
}

// torn takes the error of a recording that ends within a block as its end, and says so.
func (v *replayView) torn(err error, end time.Duration) (bool, error) {
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		fmt.Fprintf(v.errs, "evetwin: %s is torn: what is whole ends %v after the boot\n", v.path,
			end.Round(time.Millisecond))
		return true, nil
	}
	return false, cli.Refuse(fmt.Errorf("%s: %w", v.path, err))
}

// replayed is the outcome of a replay; its keys are the contract.
type replayed struct {
	File  string     `json:"file"`
	OK    bool       `json:"ok"`
	Turns uint64     `json:"turns"`
	First *firstDiff `json:"first_diff,omitempty"`
	// Passed counts turns that were not replayed.
	Passed uint64   `json:"passed,omitempty"`
	Torn   bool     `json:"torn,omitempty"`
	EndS   float64  `json:"end_s"`
	Differ []string `json:"agents_differ,omitempty"`
	Error  string   `json:"error,omitempty"`
}

// firstDiff is the first turn that differs.
type firstDiff struct {
	AtS    float64 `json:"at_s"`
	Agent  string  `json:"agent"`
	Turn   uint64  `json:"turn"`
	Topic  string  `json:"topic"`
	Key    string  `json:"key"`
	Device string  `json:"device"`
	Boot   uint64  `json:"boot"`
	What   string  `json:"what"`
	// Recorded and Now are what the turn did, and what it does in this program.
	Recorded string `json:"recorded"`
	Now      string `json:"now"`
}

// compare replays the recording.
func (v *replayView) compare() error {
	res, err := replay.Run(v.r, replay.Options{Agents: roster.Agents(), Only: v.agent})
	sum := replayed{File: v.path, Turns: res.Turns, Passed: res.Passed, EndS: res.End.Seconds()}
	if errors.Is(err, replay.ErrGap) || errors.Is(err, replay.ErrRow) {
		sum.Error = err.Error()
	} else if sum.Torn, err = v.torn(err, res.End); err != nil {
		return err
	}
	for _, d := range res.Differ {
		sum.Differ = append(sum.Differ, d.Agent)
	}
	if d := res.First; d != nil {
		sum.First = &firstDiff{AtS: d.At.Seconds(), Agent: d.Agent, Turn: d.Turn, Topic: d.Topic,
			Key: d.Key, Device: d.Device, Boot: d.Boot, What: d.What, Recorded: d.A, Now: d.B}
	}
	sum.OK = sum.First == nil && sum.Error == ""
	switch {
	case v.json:
		line(v.out, sum)
	default:
		sum.print(v.out)
	}
	if !sum.OK {
		return cli.ErrReported
	}
	return nil
}

func (s *replayed) print(out io.Writer) {
	fmt.Fprintf(out, "%s: %d turns replayed", s.File, s.Turns)
	if s.Passed > 0 {
		fmt.Fprintf(out, ", %d passed over", s.Passed)
	}
	switch d := s.First; {
	case s.Error != "":
		fmt.Fprintf(out, "; it cannot go on: %s\n", s.Error)
	case d == nil:
		fmt.Fprintln(out, ", no difference")
	default:
		what := strings.Trim(d.Topic+"/"+d.Key, "/")
		fmt.Fprintf(out, ", a difference:\n  turn %d of %s, %.6f s after boot %d of %s: %s %s\n"+
			"  recorded  %s\n  now       %s\n", d.Turn, d.Agent, d.AtS, d.Boot, d.Device, d.What, what,
			d.Recorded, d.Now)
		if len(s.Differ) > 1 {
			fmt.Fprintf(out, "  agents that differ: %s\n", strings.Join(s.Differ, ", "))
		}
	}
}

// perfetto exports the recording.
func (v *replayView) perfetto() (err error) {
	out := v.out
	if v.replayFlags.out != "" {
		f, err := os.Create(v.replayFlags.out)
		if err != nil {
			return fmt.Errorf("write the trace: %w", err)
		}
		defer f.Close()
		out = f
	}
	b := bufio.NewWriter(out)
	err = perfetto.Export(v.r, b)
	if e := b.Flush(); e != nil {
		return fmt.Errorf("write the trace: %w", e)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		fmt.Fprintf(v.errs, "evetwin: %s is torn; the trace has what is whole\n", v.path)
		return nil
	}
	if errors.Is(err, trace.ErrForeign) {
		return cli.Refuse(fmt.Errorf("%s: %w", v.path, err))
	}
	return err
}
