package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/live"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// fleetResult is what a process of many devices and their controller takes.
type fleetResult struct {
	Devices int `json:"devices"`
	// KiBPerDevice is how much the resident memory of the process has grown, from before the first
	// device to the end of the measurement, by device; the controller is in it.
	KiBPerDevice float64 `json:"kib_per_device"`
	// HeapKiBPerDevice and StackKiBPerDevice are what of it is in use, after a collection.
	HeapKiBPerDevice  float64 `json:"heap_kib_per_device"`
	StackKiBPerDevice float64 `json:"stack_kib_per_device"`
	// GCPercent is how much the heap may grow between collections.
	GCPercent int `json:"gc_percent"`
	// Cores is the processor time of the process per second.
	Cores float64 `json:"cores"`
	// Polls counts configuration requests, PollsMissed gaps between them longer than the interval.
	Polls       int     `json:"polls"`
	PollsMissed int     `json:"polls_missed"`
	Seconds     float64 `json:"seconds"`
	Commit      string  `json:"commit"`
}

// fleetGC is the growth of the heap between collections, in percent. Devices allocate little, so a
// collection of all of them every half minute costs less than a hundredth of a core.
const fleetGC = 10

func benchFleetCommand() *cobra.Command {
	var f fleetFlags
	c := &cobra.Command{Use: "fleet", Args: cli.Usage(cobra.NoArgs),
		Short: "Many devices and their controller in one process in real time",
		RunE: func(c *cobra.Command, _ []string) error {
			if f.devices < 1 || f.span <= 0 || f.settle < 0 {
				return cli.Refuse(fmt.Errorf("--devices %d --for %v --settle %v: at least one device, for "+
					"a while", f.devices, f.span, f.settle))
			}
			if f.profile != "" {
				runtime.MemProfileRate = 4096
			}
			r, err := benchFleet(c.Context(), f)
			if err != nil {
				return err
			}
			result(c, r, "%d devices and their controller in one process, for %.0f s of real time:\n"+
				"  memory   %.0f KiB each (%.0f KiB of it in use)\n"+
				"  cores    %.2f\n"+
				"  polls    %d, %d missed", r.Devices, r.Seconds, r.KiBPerDevice,
				r.HeapKiBPerDevice+r.StackKiBPerDevice, r.Cores, r.Polls, r.PollsMissed)
			return nil
		}}
	c.Flags().IntVar(&f.devices, "devices", 1000, "how many")
	c.Flags().DurationVar(&f.span, "for", time.Minute, "how long to measure")
	c.Flags().DurationVar(&f.settle, "settle", 20*time.Second,
		"how long to wait after the last device has its configuration, before measuring")
	c.Flags().StringVar(&f.profile, "memprofile", "", "write a profile of the heap to this file")
	return c
}

// fleetFlags of the command.
type fleetFlags struct {
	devices      int
	span, settle time.Duration
	profile      string
}

// benchFleet runs devices until all have their configuration, and then measures.
func benchFleet(ctx context.Context, f fleetFlags) (r fleetResult, err error) {
	n := f.devices
	defer debug.SetGCPercent(debug.SetGCPercent(fleetGC))
	site, err := twin.NewSite(twin.SiteOptions{Seed: 1})
	if err != nil {
		return r, err
	}
	debug.FreeOSMemory()
	before := rss()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	heap := int64(m.HeapAlloc)
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer func() { stop(); all.Wait() }()
	errs := make(chan error, n)
	for i := range n {
		d, err := site.NewSimulated(twin.DeviceOptions{Name: fmt.Sprintf("edge%d", i),
			Seed: uint64(i + 1)})
		if err != nil {
			return r, err
		}
		all.Add(1)
		go func(d *live.Device) {
			defer all.Done()
			errs <- d.Run(ctx)
		}(d)
	}
	if err := configureAll(ctx, site, n, errs); err != nil {
		return r, err
	}
	if err := pause(ctx, f.settle, errs); err != nil { // bursts of the start are over
		return r, err
	}
	runtime.GC()
	debug.FreeOSMemory()
	from, cpu := time.Now(), cpuTime()
	polls := countPolls(site)
	if err := pause(ctx, f.span, errs); err != nil {
		return r, err
	}
	r.Devices, r.GCPercent = n, fleetGC
	r.Seconds = time.Since(from).Seconds()
	r.Cores, r.Commit = (cpuTime()-cpu).Seconds()/r.Seconds, cli.Revision()
	r.KiBPerDevice = float64(rss()-before) / 1024 / float64(n)
	r.Polls = countPolls(site) - polls
	r.PollsMissed = missed(site, from, time.Now())
	runtime.GC()
	runtime.ReadMemStats(&m)
	r.HeapKiBPerDevice = float64(int64(m.HeapAlloc)-heap) / 1024 / float64(n)
	r.StackKiBPerDevice = float64(m.StackInuse) / 1024 / float64(n)
	return r, writeHeap(f.profile)
}

// configureAll gives every device that registers a configuration, until all have asked for it.
func configureAll(ctx context.Context, site *twin.Site, n int, errs <-chan error) error {
	limit := time.Now().Add(3 * time.Minute)
	given := map[string]bool{}
	for {
		ready := 0
		var err error
		site.With(func() {
			for _, d := range site.Controller.Fleet().Devices() {
				if !given[d.UUID()] {
					given[d.UUID()] = true
					cfg, e := fleet.NewDraft(d.Name()).MgmtPort("eth0", 0).MgmtPort("eth1", 1).Build()
					if e == nil {
						_, e = d.SetConfig(fleet.Change{Config: cfg, At: time.Now()})
					}
					err = errors.Join(err, e)
				}
				if d.Count(eveapi.Config) > 0 {
					ready++
				}
			}
		})
		if err != nil || ready == n {
			return err
		}
		if time.Now().After(limit) {
			return fmt.Errorf("only %d of %d devices ask for their configuration", ready, n)
		}
		if err := pause(ctx, 200*time.Millisecond, errs); err != nil {
			return err
		}
	}
}

// pause waits, and ends early if a device does.
func pause(ctx context.Context, d time.Duration, errs <-chan error) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case err := <-errs:
		return fmt.Errorf("a device stopped: %w", errors.Join(errors.New("early end"), err))
	case <-ctx.Done():
		return ctx.Err()
	}
}

func countPolls(site *twin.Site) (n int) {
	site.With(func() {
		for _, d := range site.Controller.Fleet().Devices() {
			n += d.Count(eveapi.Config)
		}
	})
	return n
}

// missed counts the configuration requests that were not answered well, and the gaps between them,
// also the one that began before, that are longer than the interval allows: 60 s and 5 s for the
// exchange.
func missed(site *twin.Site, from, to time.Time) (n int) {
	const most = 65 * time.Second
	site.With(func() {
		for _, d := range site.Controller.Fleet().Devices() {
			last := from
			for _, q := range d.Requests() {
				if !strings.HasSuffix(q.Path, "/config") {
					continue
				}
				bad := q.Code != http.StatusOK && q.Code != http.StatusNotModified
				if q.At.After(from) && (bad || q.At.Sub(last) > most) {
					n++
				}
				last = q.At
			}
			if to.Sub(last) > most {
				n++
			}
		}
	})
	return n
}
