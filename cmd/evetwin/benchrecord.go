package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// recordCost is what it costs to record every turn, into nothing. What is compared runs in turn, in
// short pieces and on one core, so that other work of the machine slows both alike; each percentage
// is the median of those of all pieces.
type recordCost struct {
	// SlowdownPercent is by the clock, CPUSlowdownPercent by processor time, of a quiet device: a
	// configured one with a running application.
	SlowdownPercent    float64 `json:"slowdown_percent"`
	CPUSlowdownPercent float64 `json:"cpu_slowdown_percent"`
	// SeedsSlowdownPercent and SeedsCPUSlowdownPercent are of runs of the standard scenario under
	// flaky faults, each of its own seed.
	SeedsSlowdownPercent    float64 `json:"seeds_slowdown_percent"`
	SeedsCPUSlowdownPercent float64 `json:"seeds_cpu_slowdown_percent"`
	TraceMiBPerDeviceDay    float64 `json:"trace_mib_per_device_day"`
	TraceKiBPerSeed         float64 `json:"trace_kib_per_seed"`
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
	c := &cobra.Command{Use: "record", Args: usage(cobra.NoArgs),
		Short: "How much slower a device is while every turn of its agents is recorded",
		RunE: func(c *cobra.Command, _ []string) error {
			pieces := int(days * 24 * float64(time.Hour) / float64(recordPiece))
			if pieces < 1 || seeds < 1 {
				return refused{fmt.Errorf("--days %v --seeds %d: at least %v and a seed", days, seeds,
					recordPiece)}
			}
			r, err := benchRecord(pieces, seeds)
			if err != nil {
				return err
			}
			result(c, r, "quiet device: %.1f %% slower, %.1f %% more processor time, %.2f MiB a day "+
				"(%.1f days)\nstandard under flaky: %.1f %% slower, %.1f %% more processor "+
				"time, %.0f KiB a run (%d seeds)", r.SlowdownPercent, r.CPUSlowdownPercent,
				r.TraceMiBPerDeviceDay, r.DeviceDays, r.SeedsSlowdownPercent, r.SeedsCPUSlowdownPercent,
				r.TraceKiBPerSeed, r.Seeds)
			return nil
		}}
	c.Flags().Float64Var(&days, "days", 10, "virtual days of the quiet device")
	c.Flags().IntVar(&seeds, "seeds", 200, "runs of the standard scenario")
	return c
}

// lap is time that was spent, by the clock and on the processor.
type lap struct{ wall, cpu time.Duration }

// spend adds what f takes.
func (l *lap) spend(f func() error) error {
	wall, cpu := time.Now(), cpuTime()
	err := f()
	l.wall, l.cpu = l.wall+time.Since(wall), l.cpu+cpuTime()-cpu
	return err
}

// slower collects by how many percent recorded pieces are slower than plain ones.
type slower struct{ wall, cpu []float64 }

// piece does a piece of work in both ways; which comes first changes from piece to piece.
func (s *slower) piece(work func(recorded bool) error) error {
	var laps [2]lap
	for i := range laps {
		way := (len(s.wall) + i) % 2
		if err := laps[way].spend(func() error { return work(way == 1) }); err != nil {
			return err
		}
	}
	plain, recorded := laps[0], laps[1]
	s.wall = append(s.wall, 100*(float64(recorded.wall)/float64(max(plain.wall, 1))-1))
	s.cpu = append(s.cpu, 100*(float64(recorded.cpu)/float64(max(plain.cpu, 1))-1))
	return nil
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[n/2] + list[(n-1)/2]) / 2
}

// benchRecord measures both ways, on one core.
func benchRecord(pieces, seeds int) (r recordCost, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer debug.SetGCPercent(debug.SetGCPercent(speedGC))
	began := time.Now()
	r.Pieces, r.Seeds = pieces, seeds
	if err := r.quiet(); err != nil {
		return r, err
	}
	if err := r.seeds(); err != nil {
		return r, err
	}
	r.measured = done(began)
	return r, nil
}

// quiet measures with a device in two worlds that differ in nothing but the recorder.
func (r *recordCost) quiet() error {
	rec := recording.Beside(io.Discard)
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
	if worlds[0].Trace() != worlds[1].Trace() {
		return fmt.Errorf("the device that is recorded does something else")
	}
	r.SlowdownPercent, r.CPUSlowdownPercent = median(cost.wall), median(cost.cpu)
	r.DeviceDays = float64(r.Pieces) * recordPiece.Hours() / 24
	r.TraceMiBPerDeviceDay = float64(rec.Bytes()-bytes) / (1 << 20) / r.DeviceDays
	return nil
}

// seeds measures with lives under faults.
func (r *recordCost) seeds() error {
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
			rec := recording.Beside(io.Discard)
			around := []scenario.Around{storm.New(fault.Draw(p, seed, storm.Usual(), sc.Span))}
			if recorded {
				around = append(around, recording.Around{Recorder: rec})
			}
			h, err := scenario.NewVirtualWorld(sim.Options{Seed: seed}, nil, around...)
			if err != nil {
				return err
			}
			if res := sc.Run(h, seed); !res.OK {
				return fmt.Errorf("seed %d: %s", seed, res.Error)
			}
			if err := rec.Close(); err != nil || !recorded {
				return err
			}
			bytes += rec.Bytes()
			return nil
		}); err != nil {
			return err
		}
	}
	r.SeedsSlowdownPercent, r.SeedsCPUSlowdownPercent = median(cost.wall), median(cost.cpu)
	r.TraceKiBPerSeed = float64(bytes) / 1024 / float64(r.Seeds)
	return nil
}
