package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/twin"
)

type speed struct {
	Speed         float64 `json:"speed"`
	Turns         uint64  `json:"turns"`
	Exchanges     uint64  `json:"exchanges"`
	Signatures    uint64  `json:"signatures"`
	Verifications uint64  `json:"verifications"`
	VirtualS      float64 `json:"virtual_s"`
	measured
}

func benchSpeedCommand() *cobra.Command {
	var days float64
	var profile string
	c := &cobra.Command{Use: "speed", Args: usage(cobra.NoArgs),
		Short: "How much faster than real time a configured device with a running application is",
		RunE: func(c *cobra.Command, _ []string) error {
			if days < 0.01 {
				return refused{fmt.Errorf("--days %v: at least 0.01", days)}
			}
			r, err := benchSpeed(time.Duration(days*24*float64(time.Hour)), profile)
			if err != nil {
				return err
			}
			result(c, r, "%.0f x real time: %.0f s of device time in %.2f s on one core; %d turns, %d "+
				"exchanges, %d signatures, %d verifications", r.Speed, r.VirtualS, r.Seconds, r.Turns,
				r.Exchanges, r.Signatures, r.Verifications)
			return nil
		}}
	c.Flags().Float64Var(&days, "days", 3, "virtual days")
	c.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile to this file")
	return c
}

// benchSpeed brings a device to a running application and lets it be for a while, on one core.
func benchSpeed(span time.Duration, profile string) (r speed, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	site, err := twin.NewSite(twin.SiteOptions{Seed: 1})
	if err != nil {
		return r, err
	}
	w := sim.New(sim.Options{Seed: 1})
	d, err := site.NewDevice(w, twin.DeviceOptions{})
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
	was, turns, from := site.Traffic, w.Turns(), w.Now()
	began := time.Now()
	w.Run(from + span)
	r.measured = done(began)
	t := site.Traffic
	r.Turns, r.Exchanges = w.Turns()-turns, t.Exchanges-was.Exchanges
	r.Signatures = t.Posted - was.Posted + t.Answered - was.Answered
	r.Verifications = r.Signatures
	r.VirtualS = (w.Now() - from).Seconds()
	r.Speed = r.VirtualS / r.Seconds
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
	draft := twin.DemoDraft(d.Name())
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
