package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// replays is the outcome of recording runs and replaying each: what every turn was shown, put,
// called and set, compared with what the agents of this program do.
type replays struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	// Runs is how many were recorded: in virtual time, in real time with models, and in real time with
	// QEMU and a software TPM.
	Runs    int     `json:"runs"`
	Virtual int     `json:"virtual"`
	Live    int     `json:"live"`
	QEMU    int     `json:"qemu"`
	Turns   uint64  `json:"turns"`
	MiB     float64 `json:"mib"`
	// Differ counts the runs of which a turn differs, or which could not be replayed to their end.
	Differ  int      `json:"differ"`
	LeftOut []string `json:"left_out,omitempty"`
	measured
}

// tape is a run that is recorded: its command line without --record, and where it took place.
type tape struct {
	args []string
	on   string
	// Outcome.
	turns uint64
	bytes int64
	bad   string // why it is no proof
	out   string // why it was left out
}

// Where runs take place.
const (
	onVirtual = "virtual"
	onLive    = "live"
	onQEMU    = "qemu"
)

func benchReplaysCommand() *cobra.Command {
	var seeds int
	c := &cobra.Command{Use: "replays", Args: cli.Usage(cobra.NoArgs),
		Short: "Record runs of all kinds, replay each, and count those that differ",
		Long: "Every scenario is run for some seeds and recorded, those that faults may trouble under\n" +
			"flaky and brutal ones too, and so is \"evetwin up\", with models and with QEMU and a\n" +
			"software TPM where they are. Each recording is replayed: every state that a turn was\n" +
			"shown and everything it did is compared. Exit 1: a run differs.",
		RunE: func(c *cobra.Command, _ []string) error {
			if seeds < 1 {
				return cli.Refuse(fmt.Errorf("--seeds %d: at least 1", seeds))
			}
			r, err := benchReplays(c.Context(), c, tapes(seeds))
			if err != nil {
				return err
			}
			result(c, r, "%d turns, %.1f MiB in %.0f s\n%d recorded runs replayed (%d virtual, %d live, "+
				"%d qemu): %d differ", r.Turns, r.MiB, r.Seconds, r.Runs, r.Virtual, r.Live, r.QEMU, r.Differ)
			if !r.OK {
				return cli.ErrReported
			}
			return nil
		}}
	c.Flags().IntVar(&seeds, "seeds", 2, "seeds of each scenario; ten times as many under faults")
	return c
}

// tapes lists what is to be recorded.
func tapes(seeds int) (list []*tape) {
	add := func(on string, args ...string) { list = append(list, &tape{on: on, args: args}) }
	for _, sc := range scenarios.All() {
		if !sc.RunsOn(scenario.Virtual) || sc.Slow {
			continue
		}
		for seed := range seeds {
			add(onVirtual, "run", sc.Name, "--seed", strconv.Itoa(seed+1))
		}
		if !sc.Faults {
			continue
		}
		for _, p := range []string{fault.Flaky, fault.Brutal} {
			for seed := range 10 * seeds {
				add(onVirtual, "run", sc.Name, "--faults", p, "--seed", strconv.Itoa(seed+1))
			}
		}
	}
	for _, until := range []string{untilOnboarded, untilRunning, untilSettled} {
		add(onLive, "up", "--until", until, "--hyper", twin.Model, "--tpm", twin.Model, "--quiet", "3s")
	}
	add(onQEMU, "up", "--until", untilRunning)
	return list
}

// benchReplays records and replays, runs of virtual time on all cores, then the others by
// themselves.
func benchReplays(ctx context.Context, c *cobra.Command, list []*tape) (r replays, err error) {
	began := time.Now()
	dir, err := os.MkdirTemp("", "evetwin-replays")
	if err != nil {
		return r, fmt.Errorf("make a folder for recordings: %w", err)
	}
	defer os.RemoveAll(dir)
	queue := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range queue {
				list[i].run(ctx, filepath.Join(dir, strconv.Itoa(i)))
			}
		})
	}
	for i, t := range list {
		if t.on == onVirtual && ctx.Err() == nil {
			queue <- i
		}
	}
	close(queue)
	wg.Wait()
	for i, t := range list {
		if t.on != onVirtual && ctx.Err() == nil {
			t.run(ctx, filepath.Join(dir, strconv.Itoa(i)))
		}
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	for _, t := range list {
		if t.out != "" {
			fmt.Fprintf(c.ErrOrStderr(), "left out: %s\n", t.out)
		}
		if t.bad != "" {
			fmt.Fprintf(c.ErrOrStderr(), "evetwin %s: %s\n", strings.Join(t.args, " "), t.bad)
		}
		r.add(t)
	}
	if r.OK = r.Differ == 0; !r.OK {
		r.Error = fmt.Sprintf("%d of %d runs differ", r.Differ, r.Runs)
	}
	r.measured = done(began)
	return r, nil
}

// add counts a run.
func (r *replays) add(t *tape) {
	if t.out != "" {
		r.LeftOut = append(r.LeftOut, t.out)
		return
	}
	r.Runs++
	switch t.on {
	case onVirtual:
		r.Virtual++
	case onLive:
		r.Live++
	case onQEMU:
		r.QEMU++
	}
	r.Turns += t.turns
	r.MiB += float64(t.bytes) / (1 << 20)
	if t.bad != "" {
		r.Differ++
	}
}

// run records the run into a file, replays that, and removes it.
func (t *tape) run(ctx context.Context, file string) {
	defer func() { _ = os.Remove(file) }()
	var out, errs bytes.Buffer
	args := slices.Concat(t.args, []string{"--json", "--record", file})
	if code := execute(ctx, args, strings.NewReader(""), &out, &errs); code != 0 {
		t.bad = fmt.Sprintf("exit %d: %s%s", code, out.String(), errs.String())
		return
	}
	var up struct{ Hyper, TPM string }
	last := out.String()[strings.LastIndexByte(strings.TrimSpace(out.String()), '\n')+1:]
	if err := json.Unmarshal([]byte(last), &up); err != nil {
		t.bad = err.Error()
		return
	}
	if t.on == onQEMU && (up.Hyper == twin.Model || up.TPM == twin.Model) {
		t.out = fmt.Sprintf("a run with QEMU and a software TPM: guests are %s, the TPM is %s",
			up.Hyper, up.TPM)
		return
	}
	t.replay(ctx, file)
}

// replay replays a recording as "evetwin replay" does.
func (t *tape) replay(ctx context.Context, file string) {
	var out, errs bytes.Buffer
	code := execute(ctx, []string{"replay", file, "--json"}, strings.NewReader(""), &out, &errs)
	var r replayed
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.bad = fmt.Sprintf("exit %d: %s", code, errs.String())
		return
	}
	t.turns = r.Turns
	if i, err := os.Stat(file); err == nil {
		t.bytes = i.Size()
	}
	if code != 0 || !r.OK || r.Torn || r.Passed > 0 || r.Turns < 20 {
		t.bad = out.String()
	}
}
