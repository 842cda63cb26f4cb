package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/scenarios/dryrun"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// goals waits for what --until asks for.
func (u *upRun) goals(ctx context.Context) error {
	if u.flags.until != untilForever {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, u.flags.limit)
		defer cancel()
	}
	if err := u.until(ctx, "onboarding", (*view).onboarded); err != nil {
		return err
	}
	u.set(func(s *summary) { s.OnboardedS = time.Since(u.began).Seconds() })
	switch u.flags.until {
	case untilOnboarded:
	case untilSettled:
		if err := u.settle(ctx); err != nil {
			return err
		}
	default:
		if err := u.until(ctx, "the applications to run", (*view).running); err != nil {
			return err
		}
		if err := u.answered(ctx); err != nil {
			return err
		}
	}
	u.set(func(s *summary) { s.OK = true })
	return nil
}

func (u *upRun) set(f func(s *summary)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f(&u.sum)
}

// until waits for a condition over every device.
func (u *upRun) until(ctx context.Context, what string, cond func(*view) bool) error {
	for {
		u.mu.Lock()
		i := slices.IndexFunc(u.views, func(v *view) bool { return !cond(v) })
		u.mu.Unlock()
		if i < 0 {
			return nil
		}
		select {
		case <-u.changed:
		case <-u.ended():
			return fmt.Errorf("wait for %s: the device has stopped", what)
		case <-ctx.Done():
			return u.late(ctx, what, u.views[i])
		}
	}
}

// late says what was waited for and, as far as the device shows it, why it did not come.
func (u *upRun) late(ctx context.Context, what string, v *view) error {
	err := fmt.Errorf("wait for %s of %s: %w", what, v.name, ctx.Err())
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) || v != u.views[0] || u.live == nil {
		return err
	}
	w := u.in.Watch(u.flags.quiet)
	if _, e := u.look(w); e != nil {
		return e
	}
	if busy := w.Busy(); busy != "" {
		return fmt.Errorf("%w: %s", err, busy)
	}
	return err
}

// lookLimit is how long a device may take to show its tables.
const lookLimit = 5 * time.Second

// look has the first device's loop look at its tables.
func (u *upRun) look(w *dryrun.Watch) (settled bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookLimit)
	defer cancel()
	e := u.live.Device.Do(ctx, func(k *host.Kernel) {
		if k != nil && k.Dead() {
			k = nil
		}
		settled, err = w.Look(k, time.Since(u.began))
	})
	return settled, errors.Join(err, e)
}

// lookEvery is how often a device that is to settle is looked at.
const lookEvery = 500 * time.Millisecond

// settle waits until nothing new happens.
func (u *upRun) settle(ctx context.Context) error {
	w := u.in.Watch(u.flags.quiet)
	tick := time.NewTicker(min(lookEvery, u.flags.quiet))
	defer tick.Stop()
	for {
		if settled, err := u.look(w); settled || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-u.ended():
			return errors.New("wait for the device to settle: it has stopped")
		case <-ctx.Done():
			return fmt.Errorf("wait for the device to settle: %w: %s", ctx.Err(), w.Busy())
		}
	}
}

// answered asks the bundled application over HTTP until it answers, if there is one to ask.
func (u *upRun) answered(ctx context.Context) error {
	id := twin.DemoDraft(first).AppID("web")
	u.mu.Lock()
	at, ok := u.mapped[id]
	u.mu.Unlock()
	if !ok {
		return nil
	}
	url := "http://" + at.String() + "/"
	u.set(func(s *summary) { s.URL = url })
	client := http.Client{Timeout: 30 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !u.ask(ctx, &client, url) {
		select {
		case <-tick.C:
		case <-u.ended():
			return errors.New("wait for the application to answer: the device has stopped")
		case <-ctx.Done():
			return fmt.Errorf("wait for the application to answer at %s: %w", url, ctx.Err())
		}
	}
	u.steps.tell(stepLine{URL: url}, "application answers at %s", url)
	return nil
}

// ask asks the bundled application once.
func (u *upRun) ask(ctx context.Context, client *http.Client, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	x, err := client.Do(r)
	if err != nil {
		return false
	}
	defer x.Body.Close()
	var body struct {
		BootID  string  `json:"boot_id"`
		UptimeS float64 `json:"uptime_s"`
	}
	if x.StatusCode != http.StatusOK || json.NewDecoder(x.Body).Decode(&body) != nil {
		return false
	}
	u.set(func(s *summary) {
		s.AnsweredS = time.Since(u.began).Seconds()
		s.BootID, s.UptimeS = body.BootID, body.UptimeS
	})
	return true
}
