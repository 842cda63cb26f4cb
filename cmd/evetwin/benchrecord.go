package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// recordCost is what it costs to record every turn, into nothing. What is compared runs in turn, in
// short pieces, so that other work of the machine slows both alike; each percentage is the median
// of those of all pieces. A recording is written beside the device's loop: by the clock that costs
// what it costs the loop where a second core is free, and all its processor time where none is.
type recordCost struct {
	// SlowdownPercent is by the clock, CPUSlowdownPercent by processor time, LoopSlowdownPercent by
	// that of the device's loop alone, of a quiet device: a configured one with a running application.
	SlowdownPercent     float64 `json:"slowdown_percent"`
	CPUSlowdownPercent  float64 `json:"cpu_slowdown_percent"`
	LoopSlowdownPercent float64 `json:"loop_slowdown_percent"`
	// What begins with Seeds is of runs of the standard scenario under flaky faults, each of its own
	// seed, and each recording with all that it takes to begin and end it.
	SeedsSlowdownPercent     float64 `json:"seeds_slowdown_percent"`
	SeedsCPUSlowdownPercent  float64 `json:"seeds_cpu_slowdown_percent"`
	SeedsLoopSlowdownPercent float64 `json:"seeds_loop_slowdown_percent"`
	TraceMiBPerDeviceDay     float64 `json:"trace_mib_per_device_day"`
	TraceKiBPerSeed          float64 `json:"trace_kib_per_seed"`
	// DeviceDays is how long the quiet device ran, in so many pieces; Seeds how many runs there were.
	Pieces     int     `json:"pieces"`
	DeviceDays float64 `json:"device_days"`
	Seeds      int     `json:"seeds"`
	measured
}

// recordPiece is how long the quiet device runs in a piece.
const recordPiece = 30 * time.Minute

func benchRecordCommand() *cobra.Command {
	var days float64
	var seeds int
	c := &cobra.Command{Use: "record", Args: cli.Usage(cobra.NoArgs),
		Short: "How much slower a device is while every turn of its agents is recorded",
		RunE: func(c *cobra.Command, _ []string) error {
			pieces := int(days * 24 * float64(time.Hour) / float64(recordPiece))
			if pieces < 1 || seeds < 1 {
				return cli.Refuse(fmt.Errorf("--days %v --seeds %d: at least %v and a seed", days, seeds,
					recordPiece))
			}
			r, err := benchRecord(pieces, seeds)
			if err != nil {
				return err
			}
			result(c, r, "quiet device: %.1f %% slower, %.1f %% more processor time, of its loop %.1f %%, "+
				"%.2f MiB a day (%.1f days)\nstandard under flaky: %.1f %% slower, %.1f %% more processor "+
				"time, of its loop %.1f %%, %.0f KiB a run (%d seeds)", r.SlowdownPercent,
				r.CPUSlowdownPercent, r.LoopSlowdownPercent, r.TraceMiBPerDeviceDay, r.DeviceDays,
				r.SeedsSlowdownPercent, r.SeedsCPUSlowdownPercent, r.SeedsLoopSlowdownPercent,
				r.TraceKiBPerSeed, r.Seeds)
			return nil
		}}
	c.Flags().Float64Var(&days, "days", 10, "virtual days of the quiet device")
	c.Flags().IntVar(&seeds, "seeds", 200, "runs of the standard scenario")
	return c
}

// lap is time that was spent, by the clock, on the processor and on it by this thread alone.
type lap struct{ wall, cpu, loop time.Duration }

// spend measures what f takes.
func (l *lap) spend(f func() error) error {
	wall, cpu, loop := time.Now(), cpuTime(), threadTime()
	err := f()
	*l = lap{time.Since(wall), cpuTime() - cpu, threadTime() - loop}
	return err
}

// slower collects by how many percent recorded pieces are slower than plain ones.
type slower struct{ wall, cpu, loop []float64 }

// piece does a piece of work in both ways; which comes first changes from piece to piece.
func (s *slower) piece(work func(recorded bool) error) error {
	var laps [2]lap
	for i := range laps {
		way := (len(s.wall) + i) % 2
		if err := laps[way].spend(func() error { return work(way == 1) }); err != nil {
			return err
		}
	}
	more := func(plain, recorded time.Duration) float64 {
		return 100 * (float64(recorded)/float64(max(plain, 1)) - 1)
	}
	s.wall = append(s.wall, more(laps[0].wall, laps[1].wall))
	s.cpu = append(s.cpu, more(laps[0].cpu, laps[1].cpu))
	s.loop = append(s.loop, more(laps[0].loop, laps[1].loop))
	return nil
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[n/2] + list[(n-1)/2]) / 2
}

// benchRecord measures both ways, with the device's loop on one core and whoever writes on another.
func benchRecord(pieces, seeds int) (r recordCost, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer debug.SetGCPercent(debug.SetGCPercent(speedGC))
	began := time.Now()
	r.Pieces, r.Seeds = pieces, seeds
	c, err := findCores()
	if err != nil {
		return r, err
	}
	err = c.onLoop(func() error {
		if err := r.quiet(&c); err != nil {
			return err
		}
		return r.seeds(&c)
	})
	r.measured = done(began)
	return r, err
}

// quiet measures with a device in two worlds that differ in nothing but the recorder.
func (r *recordCost) quiet(c *cores) (err error) {
	rec := taping.Beside(&nowhere{cores: c})
	defer func() { err = errors.Join(err, rec.Close()) }()
	var worlds [2]*sim.World
	for i := range worlds {
		site, err := twin.NewSite(twin.SiteOptions{Seed: 1})
		if err != nil {
			return err
		}
		o := twin.DeviceOptions{Name: first}
		if i == 1 {
			recording.Shape(rec, &o)
		}
		worlds[i] = sim.New(sim.Options{Seed: 1})
		d, err := site.NewDevice(worlds[i], o)
		if err == nil {
			err = settleDemo(site, worlds[i], d)
		}
		if err != nil {
			return err
		}
	}
	bytes := rec.Bytes()
	var cost slower
	for range r.Pieces {
		if err := cost.piece(func(recorded bool) error {
			w := worlds[0]
			if recorded {
				w = worlds[1]
			}
			w.Run(w.Now() + recordPiece)
			return nil
		}); err != nil {
			return err
		}
	}
	if err := rec.Close(); err != nil {
		return err
	}
	if worlds[0].Trace() != worlds[1].Trace() {
		return fmt.Errorf("the device that is recorded does something else")
	}
	r.SlowdownPercent, r.CPUSlowdownPercent = median(cost.wall), median(cost.cpu)
	r.LoopSlowdownPercent = median(cost.loop)
	r.DeviceDays = float64(r.Pieces) * recordPiece.Hours() / 24
	r.TraceMiBPerDeviceDay = float64(rec.Bytes()-bytes) / (1 << 20) / r.DeviceDays
	return nil
}

// seeds measures with lives under faults.
func (r *recordCost) seeds(c *cores) error {
	sc, err := scenarios.Find("standard")
	if err != nil {
		return err
	}
	p, err := fault.Named(fault.Flaky)
	if err != nil {
		return err
	}
	var cost slower
	var bytes int64
	for i := range r.Seeds {
		seed := uint64(i) + 1
		if err := cost.piece(func(recorded bool) error {
			around := []scenario.Around{storm.New(fault.Draw(p, seed, storm.Usual(), sc.Span))}
			if !recorded {
				return life(sc, seed, around)
			}
			rec := taping.Beside(&nowhere{cores: c})
			around = append(around, recording.Around{Recorder: rec})
			err := errors.Join(life(sc, seed, around), rec.Close())
			bytes += rec.Bytes()
			return err
		}); err != nil {
			return err
		}
	}
	r.SeedsSlowdownPercent, r.SeedsCPUSlowdownPercent = median(cost.wall), median(cost.cpu)
	r.SeedsLoopSlowdownPercent = median(cost.loop)
	r.TraceKiBPerSeed = float64(bytes) / 1024 / float64(r.Seeds)
	return nil
}

// life runs a scenario with a seed of its own.
func life(sc *scenario.Scenario, seed uint64, around []scenario.Around) error {
	h, err := scenario.NewVirtualWorld(sim.Options{Seed: seed}, nil, around...)
	if err != nil {
		return err
	}
	if res := sc.Run(h, seed); !res.OK {
		return fmt.Errorf("seed %d: %s", seed, res.Error)
	}
	return nil
}
