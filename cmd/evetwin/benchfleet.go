package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

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
	var devices int
	var span time.Duration
	var profile string
	c := &cobra.Command{Use: "fleet", Args: usage(cobra.NoArgs),
		Short: "Many devices and their controller in one process in real time",
		RunE: func(c *cobra.Command, _ []string) error {
			if devices < 1 {
				return refused{fmt.Errorf("--devices %d: at least 1", devices)}
			}
			if profile != "" {
				runtime.MemProfileRate = 4096
			}
			r, err := benchFleet(c.Context(), devices, span, profile)
			if err != nil {
				return err
			}
			result(c, r, "%d devices: %.0f KiB each, %.2f cores, %d polls, %d missed in %.0f s", r.Devices,
				r.KiBPerDevice, r.Cores, r.Polls, r.PollsMissed, r.Seconds)
			return nil
		}}
	c.Flags().IntVar(&devices, "devices", 1000, "how many")
	c.Flags().DurationVar(&span, "for", time.Minute, "how long to measure")
	c.Flags().StringVar(&profile, "memprofile", "", "write a profile of the heap to this file")
	return c
}

// benchFleet runs devices until all have their configuration, and then measures.
func benchFleet(ctx context.Context, n int, span time.Duration, profile string) (r fleetResult, err error) {
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
	if err := pause(ctx, 20*time.Second, errs); err != nil { // bursts of the start are over
		return r, err
	}
	runtime.GC()
	debug.FreeOSMemory()
	from, cpu := time.Now(), cpuTime()
	polls := countPolls(site)
	if err := pause(ctx, span, errs); err != nil {
		return r, err
	}
	r.Devices, r.GCPercent = n, fleetGC
	r.Seconds = time.Since(from).Seconds()
	r.Cores, r.Commit = (cpuTime()-cpu).Seconds()/r.Seconds, commit()
	r.KiBPerDevice = float64(rss()-before) / 1024 / float64(n)
	r.Polls = countPolls(site) - polls
	r.PollsMissed = missed(site, from, time.Now())
	runtime.GC()
	runtime.ReadMemStats(&m)
	r.HeapKiBPerDevice = float64(int64(m.HeapAlloc)-heap) / 1024 / float64(n)
	r.StackKiBPerDevice = float64(m.StackInuse) / 1024 / float64(n)
	fmt.Fprintf(os.Stderr, "inuse %d idle %d released %d sys %d numgc %d stack %d mspan %d gcsys %d other %d bucket %d cpu %v\n", m.HeapInuse>>10, m.HeapIdle>>10, m.HeapReleased>>10, m.Sys>>10, m.NumGC, m.StackSys>>10, m.MSpanSys>>10, m.GCSys>>10, m.OtherSys>>10, m.BuckHashSys>>10, m.GCCPUFraction)
	return r, writeHeap(profile)
}

// writeHeap writes a profile of what is in use, for an empty name nothing.
func writeHeap(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write the profile: %w", err)
	}
	runtime.GC()
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
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

// missed counts the gaps between configuration requests of a device that are longer than the
// interval allows: 60 s and 5 s for the exchange.
func missed(site *twin.Site, from, to time.Time) (n int) {
	const most = 65 * time.Second
	site.With(func() {
		for _, d := range site.Controller.Fleet().Devices() {
			last := from
			for _, q := range d.Requests() {
				if !strings.HasSuffix(q.Path, "/config") {
					continue
				}
				if q.At.After(from) && q.At.Sub(last) > most {
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

// rss is the resident memory of this process in bytes.
func rss() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// cpuTime is the processor time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
