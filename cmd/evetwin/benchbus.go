package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/host/live/busbench"
)

// busResult is how long a row takes from its put to the step of a subscriber that sees it, on the
// host of real time: agents, turns, limits and checksums included.
type busResult struct {
	// P50 and P99 are for a table of 1,000 rows of which one changes at a time.
	P50 float64 `json:"memory_p50_us"`
	P99 float64 `json:"memory_p99_us"`
	// P50One and P99One are for a table of one row.
	P50One float64 `json:"memory_p50_1_us"`
	P99One float64 `json:"memory_p99_1_us"`
	// Puts is how many puts of each table were timed, Rounds in how many rounds; the best one counts.
	Puts int `json:"puts"`
	// The rest is of a device whose agents are processes, measured by root alone; see benchHub.
	*hubResult
	Rounds int `json:"rounds"`
	measured
}

func benchBusCommand() *cobra.Command {
	var puts int
	c := &cobra.Command{Use: "bus", Args: cli.Usage(cobra.NoArgs),
		Short: "How long a row takes from its put to the step of a subscriber",
		RunE: func(c *cobra.Command, _ []string) error {
			if puts < 100 {
				return cli.Refuse(fmt.Errorf("--puts %d: at least 100", puts))
			}
			r, err := benchBus(puts)
			if err != nil {
				return err
			}
			began := time.Now()
			if r.hubResult, err = benchHub(c, puts/10); err != nil {
				return err
			}
			r.Seconds += time.Since(began).Seconds()
			result(c, r, "from a put to the subscriber's step:\n"+
				"  1,000 rows   half within %.2f us, 99 of 100 within %.2f us\n"+
				"  1 row        half within %.2f us, 99 of 100 within %.2f us%s",
				r.P50, r.P99, r.P50One, r.P99One, r.hubResult)
			return nil
		}}
	c.Flags().IntVar(&puts, "puts", 200_000, "how many puts to measure for each table")
	return c
}

// busRounds is how often both tables are measured, in turns; the round with the least median
// counts. What else the machine does can only add to a time.
const busRounds = 3

func benchBus(puts int) (r busResult, err error) {
	began := time.Now()
	r.Puts, r.Rounds = puts, busRounds
	for i := range busRounds {
		for _, t := range []struct {
			rows     int
			p50, p99 *float64
		}{{1000, &r.P50, &r.P99}, {1, &r.P50One, &r.P99One}} {
			p50, p99, err := busbench.Measure(t.rows, puts/busRounds+1)
			if err != nil {
				return r, err
			}
			if us := micros(p50); i == 0 || us < *t.p50 {
				*t.p50, *t.p99 = us, micros(p99)
			}
		}
	}
	r.measured = done(began)
	return r, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
