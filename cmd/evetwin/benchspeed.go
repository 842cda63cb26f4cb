package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// speed is how fast virtual time passes for one device with all agents, a running application and
// its controller. All signatures are made and verified anew.
type speed struct {
	// Speed is seconds of device time per second of one core.
	Speed     float64 `json:"speed"`
	Turns     uint64  `json:"turns"`
	Exchanges uint64  `json:"exchanges"`
	// Signatures counts those that the device's TPM made and those of the controller's answers;
	// Verifications those that the controller and the device checked.
	Signatures    uint64  `json:"signatures"`
	Verifications uint64  `json:"verifications"`
	VirtualS      float64 `json:"virtual_s"`
	// CPUS is the processor time it took, which other work of the machine does not change.
	CPUS float64 `json:"cpu_s"`
	// ConfigIntervalS and MetricsIntervalS are EVE's; the device draws each pause from 0.3 to 1.0 of
	// it.
	ConfigIntervalS  int `json:"config_interval_s"`
	MetricsIntervalS int `json:"metrics_interval_s"`
	// RecordedMiBPerDay is what a recording of all turns takes for a day of the device, where one is
	// made.
	RecordedMiBPerDay float64 `json:"recorded_mib_per_day,omitempty"`
	measured
}

// interval is EVE's for configurations and for metrics, in seconds.
const interval = 60

func benchSpeedCommand() *cobra.Command {
	var days float64
	var profile string
	var record bool
	c := &cobra.Command{Use: "speed", Args: cli.Usage(cobra.NoArgs),
		Short: "How much faster than real time a configured device with a running application is",
		RunE: func(c *cobra.Command, _ []string) error {
			if days < 0.01 {
				return cli.Refuse(fmt.Errorf("--days %v: at least 0.01", days))
			}
			r, err := benchSpeed(time.Duration(days*24*float64(time.Hour)), profile, record)
			if err != nil {
				return err
			}
			result(c, r, "%.0f x real time: %.1f days of a device in %.2f s (%.2f s of processor "+
				"time) on one core;\n%d turns, %d exchanges, %d signatures, %d verifications", r.Speed,
				r.VirtualS/86400, r.Seconds, r.CPUS, r.Turns, r.Exchanges, r.Signatures, r.Verifications)
			return nil
		}}
	c.Flags().Float64Var(&days, "days", 3, "virtual days")
	c.Flags().BoolVar(&record, "record", false, "with every turn recorded, into nothing")
	c.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile to this file")
	return c
}

// speedGC lets the heap of a few megabytes grow to several times that between collections.
const speedGC = 400

// benchSpeed brings a device to a running application and lets it be for a while, on one core.
func benchSpeed(span time.Duration, profile string, record bool) (r speed, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(speedGC))
	site, err := twin.NewSite(twin.SiteOptions{Seed: 1})
	if err != nil {
		return r, err
	}
	w := sim.New(sim.Options{Seed: 1})
	o := twin.DeviceOptions{Name: first}
	rec := trace.NewRecorder(io.Discard)
	if record {
		recording.Shape(rec, &o)
	}
	d, err := site.NewDevice(w, o)
	if err != nil {
		return r, err
	}
	if err := settleDemo(site, w, d); err != nil {
		return r, err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return r, fmt.Errorf("write the profile: %w", err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return r, fmt.Errorf("write the profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	was, signed, turns, from := site.Traffic, d.Board.Tpm.Signed, w.Turns(), w.Now()
	bytes := rec.Bytes()
	began, cpu := time.Now(), cpuTime()
	w.Run(from + span)
	r.measured, r.CPUS = done(began), (cpuTime() - cpu).Seconds()
	t := site.Traffic
	r.Turns, r.Exchanges = w.Turns()-turns, t.Exchanges-was.Exchanges
	r.Signatures = d.Board.Tpm.Signed - signed + t.Answered - was.Answered
	r.Verifications = t.Verified - was.Verified + t.Answered - was.Answered
	r.ConfigIntervalS, r.MetricsIntervalS = interval, interval
	r.VirtualS = (w.Now() - from).Seconds()
	r.Speed = r.VirtualS / r.Seconds
	if record {
		r.RecordedMiBPerDay = float64(rec.Bytes()-bytes) / (1 << 20) / (r.VirtualS / 86400)
	}
	return r, nil
}

// settleDemo boots a device, gives it the bundled application and lets it settle.
func settleDemo(site *twin.Site, w *sim.World, d *twin.Device) error {
	if err := d.Boot(); err != nil {
		return err
	}
	uuid := ""
	if !w.RunUntil(func() bool {
		if o := twin.Row(d.Kernel(), node.Onboarding, entity.Global); o != nil {
			uuid = o.DeviceUUID
		}
		return uuid != ""
	}, 10*time.Minute) {
		return fmt.Errorf("the device does not onboard")
	}
	draft := twin.DemoDraft(d.Name()).Item("timer.config.interval", strconv.Itoa(interval)).
		Item("timer.metric.interval", strconv.Itoa(interval))
	cfg, err := draft.Build()
	if err != nil {
		return err
	}
	rec, _ := site.Controller.Fleet().Device(uuid)
	if _, err := rec.SetConfig(fleet.Change{Config: cfg, At: w.Wall()}); err != nil {
		return err
	}
	if !w.RunUntil(func() bool {
		a := twin.Row(d.Kernel(), app.Statuses, draft.AppID("web"))
		return a != nil && a.State == entity.RUNNING
	}, w.Now()+30*time.Minute) {
		return fmt.Errorf("the application does not run")
	}
	w.Run(w.Now() + 2*time.Hour)
	return nil
}
