package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/evetwin/evetwin/scenarios/explore"
)

// progress tells how far an exploration is: a line that is written over on a terminal, else one
// every ten seconds.
type progress struct {
	out      io.Writer
	name     string
	live     bool
	began    time.Time
	told     time.Time
	seeds    uint64
	faults   uint64
	judged   uint64
	failures int
	states   map[uint64]struct{}
	fresh    int // states that were new since the last line
	workers  atomic.Int64
}

func newProgress(out io.Writer, name string) *progress {
	p := &progress{out: out, name: name, began: time.Now(), states: map[uint64]struct{}{}}
	f, ok := out.(*os.File)
	p.live = ok && isTerminal(f)
	p.told = p.began
	return p
}

func (p *progress) seed(r *explore.Run) {
	p.seeds++
	p.faults += uint64(r.Faults)
	for _, c := range r.Judged {
		p.judged += c.N
	}
	for _, s := range r.States {
		if _, ok := p.states[s]; !ok {
			p.states[s] = struct{}{}
			p.fresh++
		}
	}
	every := 10 * time.Second
	if p.live {
		every = 200 * time.Millisecond
	}
	if time.Since(p.told) >= every {
		p.tell()
	}
}

// worker is told how many workers of a farm take part.
func (p *progress) worker(n int) { p.workers.Store(int64(n)) }

func (p *progress) tell() {
	p.told = time.Now()
	rate := float64(p.seeds) / max(time.Since(p.began).Minutes(), 1e-9)
	text := fmt.Sprintf("%s: %d seeds, %.0f/min, %s faults, %s judged, %d states (+%d), %d failures",
		p.name, p.seeds, rate, short(p.faults), short(p.judged), len(p.states), p.fresh, p.failures)
	if n := p.workers.Load(); n > 0 {
		text += fmt.Sprintf(", %d workers", n)
	}
	p.fresh = 0
	if p.live {
		fmt.Fprintf(p.out, "\r\x1b[K%s", text)
	} else {
		fmt.Fprintln(p.out, text)
	}
}

func (p *progress) failure(x *explore.Failure) {
	p.failures++
	p.clear()
	fmt.Fprintf(p.out, "seed %d breaks %s at %v: %s\n", x.Seed, x.Rule, x.At.Round(time.Millisecond),
		clean(x.Saw))
	fmt.Fprintf(p.out, "  %d faults, %d needed (%d runs)\n", len(x.First.Faults), len(x.Plan.Faults),
		x.Runs)
	if len(x.Without) > 0 {
		fmt.Fprintf(p.out, "  without %s\n", strings.Join(x.Without, ", "))
	}
}

func (p *progress) clear() {
	if p.live {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func (p *progress) end() { p.clear() }

func sortedRules(m map[string]uint64) []string { return slices.Sorted(maps.Keys(m)) }

// short is a large number in few characters.
func short(n uint64) string {
	switch {
	case n >= 10_000_000:
		return strconv.FormatUint(n/1_000_000, 10) + "M"
	case n >= 10_000:
		return strconv.FormatUint(n/1000, 10) + "k"
	}
	return strconv.FormatUint(n, 10)
}
