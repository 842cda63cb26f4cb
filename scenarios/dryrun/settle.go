package dryrun

import (
	"fmt"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// How a device is watched.
const (
	// lookEvery is how often.
	lookEvery = 5 * time.Second
	// quiet is how long nothing new may have happened when it is settled.
	quiet = 2 * time.Minute
	// maxKnown bounds what is remembered; a device that does more than that never settles.
	maxKnown = 100_000
)

// watch follows a device until it settles.
type watch struct {
	d     *twin.Device
	next  time.Duration
	news  time.Duration // when something was in a state in which it had not been before
	known map[string]bool
	last  *Report
	heard hearsay
	wrong []string // files that the device does not take in
	quiet time.Duration
}

// done reports whether the device is settled, or whether it is of no use to wait.
func (w *watch) done() bool {
	now := w.d.Device.World().Now()
	if now < w.next {
		return false
	}
	w.next = now + lookEvery
	return w.look(w.d.Kernel(), now, fmt.Sprint("boot ", w.d.Boots()))
}

// look takes a look at the device; boot names the boot it is in.
func (w *watch) look(k *host.Kernel, now time.Duration, boot string) bool {
	for _, f := range twin.Rows(k, network.PortConfigFiles) {
		if f.HasError() && f.ErrorRetryCondition == "" {
			w.wrong = append(w.wrong, f.Error)
		}
	}
	if len(w.wrong) > 0 {
		return true
	}
	if w.heard == nil {
		w.heard = hearsay{}
	}
	w.last = collect(k, w.heard)
	w.notice(boot, now)
	w.last.facts(func(fact string) { w.notice(fact, now) })
	return len(w.last.busy) == 0 && now-w.news >= w.quiet
}

func (w *watch) notice(fact string, now time.Duration) {
	if w.known[fact] {
		return
	}
	w.news = now
	if len(w.known) < maxKnown {
		w.known[fact] = true
	}
}

// facts yields the state of each object, without the numbers in the texts of errors.
func (r *Report) facts(yield func(string)) {
	for _, p := range r.Ports {
		p.Error = blank(p.Error)
		yield(fmt.Sprint("port ", p))
	}
	for _, p := range r.PortConfigs {
		p.Error = blank(p.Error)
		yield(fmt.Sprint("configuration ", p))
	}
	for _, n := range r.NetworkInstances {
		n.Error = blank(n.Error)
		yield(fmt.Sprint("instance ", n))
	}
	for _, c := range r.Content {
		c.Error = blank(c.Error)
		yield(fmt.Sprint("content ", c))
	}
	for _, v := range r.Volumes {
		v.Error = blank(v.Error)
		yield(fmt.Sprint("volume ", v))
	}
	for _, a := range r.Applications {
		a.Error = blank(a.Error)
		yield(fmt.Sprint("application ", a))
	}
	for _, e := range r.Errors {
		yield("error " + e.Agent + " " + e.Object + " " + e.Severity + " " + blank(e.Text))
	}
}

// blank replaces the digits of a text: errors count tries and tell times.
func blank(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0'
		}
		return r
	}, text)
}
