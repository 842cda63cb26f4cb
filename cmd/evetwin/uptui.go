package main

import (
	"context"
	"fmt"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/scenarios/twin"
	"github.com/evetwin/evetwin/tui"
	"github.com/evetwin/evetwin/tui/source"
)

// showTUI shows the device of a run on the terminal until the user leaves or ctx ends; an interrupt
// is no error. It is called once the device has been started, with no other output on the terminal.
// A device that has stopped stays on the screen, with what it told last.
func showTUI(ctx context.Context, u *upRun) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = u.goals(ctx) // the screen tells how the device is: leaving before the goal is no error
	}()
	r := u.show.feed.Open()
	defer r.Close()
	err := tui.Run(ctx, r, tui.Options{ReadOnly: !u.flags.allowWrite})
	cancel()
	<-done
	u.steps.speak()
	u.set(func(s *summary) { s.OK = true })
	return err
}

// hooks has the terminals see what the first device does.
func (u *upRun) hooks(o twin.DeviceOptions) twin.DeviceOptions {
	turn, line, boot := o.OnTurn, o.OnLine, o.OnBoot
	o.OnTurn = func(p *host.Proc, in *host.Input, out *host.Output) {
		turn(p, in, out)
		u.show.turn(p, in)
	}
	o.OnLine = func(from string, at time.Duration, l agent.Line) {
		line(from, at, l)
		u.show.line(from, at, l)
	}
	o.OnBoot = func(k *host.Kernel) {
		boot(k)
		u.show.boot(k)
	}
	return o
}

// marks are the milestones the run has reached; in order.
func (u *upRun) marks() []source.Mark {
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []source.Mark
	add := func(name string, s float64, format string, args ...any) {
		if s > 0 {
			out = append(out, source.Mark{Name: name, At: time.Duration(s * float64(time.Second)),
				Text: fmt.Sprintf(format, args...)})
		}
	}
	add("onboarded", u.sum.OnboardedS, "as %s", u.views[0].uuid)
	if v := u.views[0]; !v.loaded.IsZero() {
		add("downloaded", v.loaded.Sub(u.began).Seconds(), "and verified")
	}
	add("answered", u.sum.AnsweredS, "at %s", u.sum.URL)
	return out
}
