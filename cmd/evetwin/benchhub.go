package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/hub/hubbench"
)

// hubResult is what the same costs where hub, publisher and subscriber are three processes.
type hubResult struct {
	// SocketP50 and SocketP99 are from a put to the step in the other process, 1,000 rows.
	SocketP50 float64 `json:"socket_p50_us"`
	SocketP99 float64 `json:"socket_p99_us"`
	// LateSync is how long a new subscriber takes to have 10,000 rows of 1 KiB.
	LateSync float64 `json:"late_sync_ms"`
	// Durable is how many turns a second, of Writers agents that each wait for the disk before the
	// next one, become durable; DurableAlone is that of one agent.
	Durable      float64 `json:"durable_per_s"`
	DurableAlone float64 `json:"durable_alone_per_s"`
	Writers      int     `json:"durable_writers"`
}

// String is the result for people.
func (r *hubResult) String() string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("\nwhere hub, publisher and subscriber are processes:\n"+
		"  1,000 rows   half within %.1f us, 99 of 100 within %.1f us\n"+
		"  a late subscriber has 10,000 rows of 1 KiB in %.0f ms\n"+
		"  durable turns %.0f a second of %d agents, %.0f of one", r.SocketP50, r.SocketP99, r.LateSync,
		r.Durable, r.Writers, r.DurableAlone)
}

// benchHub measures with processes. A hub takes root's alone; others get no result and a line.
func benchHub(c *cobra.Command, puts int) (*hubResult, error) {
	if os.Getuid() != 0 {
		fmt.Fprintln(c.ErrOrStderr(), "bench: sockets are for root; only memory is measured")
		return nil, nil
	}
	var r *hubResult
	for range busRounds {
		dir, err := os.MkdirTemp("", "bench")
		if err != nil {
			return nil, fmt.Errorf("measure sockets: %w", err)
		}
		n := max(puts, 100)
		m, err := hubbench.Measure(hubbench.Options{Dir: dir, Puts: n, Turns: n})
		os.RemoveAll(dir)
		if err != nil {
			return nil, fmt.Errorf("measure sockets: %w", err)
		}
		x := hubResult{SocketP50: micros(m.P50), SocketP99: micros(m.P99),
			LateSync: float64(m.LateSync) / float64(time.Millisecond), Durable: m.Durable,
			DurableAlone: m.DurableAlone, Writers: m.Writers}
		if r == nil {
			r = &x
			continue
		}
		if x.SocketP50 < r.SocketP50 {
			r.SocketP50, r.SocketP99 = x.SocketP50, x.SocketP99
		}
		r.LateSync = min(r.LateSync, x.LateSync)
		r.Durable, r.DurableAlone = max(r.Durable, x.Durable), max(r.DurableAlone, x.DurableAlone)
	}
	return r, nil
}
